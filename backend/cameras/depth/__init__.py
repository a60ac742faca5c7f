"""Dense depth of a solved capture."""
