"""Ways to get from tracks or pictures to cameras. Every one gives a Solve that bundle adjustment
then has the last word on.
"""
