"""A head that talks: sound to facial motion (after GaussianTalker, Yu et al. 2024)."""
