"""Tests that can fail: small mistakes are made in the code, one at a time, and its tests have to notice (`make mutate`)."""
