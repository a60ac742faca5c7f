"""From splats to a static mesh: rendered depth fused into a surface, unwrapped and painted."""
