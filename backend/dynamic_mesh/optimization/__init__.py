"""The loop of small steps that both modes share, its loss and its quality."""
