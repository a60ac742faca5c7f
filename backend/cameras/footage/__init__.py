"""Footage made ready to be solved: sources, images, triage, masks, cameras that are given."""
