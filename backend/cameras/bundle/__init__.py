"""Bundle adjustment: cameras, lens and points that explain tracks best, and how sure of them one
can be.
"""
