"""Settings of the panels, kept in the .blend."""
