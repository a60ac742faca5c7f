"""Faces in video: a detector, a mesh of 478 points on every frame, in torch alone."""
