"""A head that can be looked at from all around: the person matted from the footage, hair and
shoulders on the rig's mesh, a neck that bends, and what no frame shows filled in.
"""
