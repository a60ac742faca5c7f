"""Animated meshes: read, played, baked for engines, and read back."""
