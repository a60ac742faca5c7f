"""How meshes move: nodes, their motion, bones, and one mesh that follows others."""
