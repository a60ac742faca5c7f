"""From speech to mouths: which sounds are made when, and what a mouth does for each."""
