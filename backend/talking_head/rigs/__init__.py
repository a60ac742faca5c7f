"""Faces that move: a resting mesh, shapes of identity and of expression, from several sources
behind one dataclass.
"""
