"""Cameras, rotations, spherical harmonics, lens distortion: every convention in one place."""
