"""Motion of faces: curves, keys, idle life, and how a speaker's is learnt."""
