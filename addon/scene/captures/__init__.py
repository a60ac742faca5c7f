"""A capture in the scene: cameras, points, depth, ground, the verdict; and cameras that Blender
solved.
"""
