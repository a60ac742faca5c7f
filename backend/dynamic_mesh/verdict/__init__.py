"""Whether a reconstructed mesh can be used: evidence from the footage, and the judgement on it."""
