"""Footage in: videos and photos, their frames and what their files say of the lens."""
