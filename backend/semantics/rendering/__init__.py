"""Pictures of splats: as they are, by their objects, by how well words fit, and as labels."""
