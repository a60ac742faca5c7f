"""From a capture to trained Gaussian splats."""
