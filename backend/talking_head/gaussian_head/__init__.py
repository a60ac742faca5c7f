"""A photoreal head of Gaussians that are bound to a rig's triangles, after GaussianTalker's
published description (Yu et al. 2024).
"""
