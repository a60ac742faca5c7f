"""Readers and writers of the ecosystem's files, none of which trusts its input."""
