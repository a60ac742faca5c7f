"""The Gaussian model and everything that renders it."""
