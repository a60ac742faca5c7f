"""Objects of splats: what is selected, painted, merged and taken out."""
