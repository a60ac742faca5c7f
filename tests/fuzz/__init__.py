"""Random and hostile input for everything that reads: `python -m tests.fuzz`."""
