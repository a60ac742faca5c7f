"""The viewport's own drawing of splats."""
