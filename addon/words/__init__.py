"""Splats by words: the warm process that knows the words, and what its answers do to the scene."""
