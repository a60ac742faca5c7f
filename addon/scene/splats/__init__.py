"""Splats as point clouds: their attributes, marks and geometry nodes."""
