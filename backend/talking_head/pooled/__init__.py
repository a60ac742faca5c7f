"""Several clips of one person: which they are, whether they show one person, and in what light."""
