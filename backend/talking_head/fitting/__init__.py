"""From the points of a tracked face to a rig's identity, poses and coefficients."""
