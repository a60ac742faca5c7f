"""Tests that can fail: small mistakes are made in the code, and its tests have to notice."""
