"""A head of the project's own, made of formulas alone, with ARKit's 52 shapes: what is there when
nothing was downloaded.
"""
