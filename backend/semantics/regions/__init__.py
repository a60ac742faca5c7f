"""What may be an object, without asking any network: proposals in 3D, superpixels in pictures, or
masks that the user has.
"""
