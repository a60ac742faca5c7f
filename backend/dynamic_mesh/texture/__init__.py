"""A picture for the surface: unwrapped, painted from the footage, and refined through the
renderer.
"""
