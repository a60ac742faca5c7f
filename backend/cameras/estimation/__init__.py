"""The best cameras of several solvers, and the verdict on them."""
