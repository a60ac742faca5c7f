"""The still life that the demo clip films: shapes, materials and light, all made by code."""
