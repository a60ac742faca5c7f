"""Surfaces and how they are drawn: marching cubes, Poisson, the mesh rasteriser, anchoring."""
