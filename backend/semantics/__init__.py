"""Splats that understand words, after CLIP-GS (Liao et al. 2024)."""
