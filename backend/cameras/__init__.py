"""From footage, or someone else's solve, to a capture: pictures with cameras and points."""
