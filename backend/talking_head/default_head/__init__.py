"""The head that *Add Head* brings: the small head, styled into a character, with eyes, ears and
hair.
"""
