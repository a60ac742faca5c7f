"""Heads, their shape keys, and the motion that speech gives them."""
