"""Who says what a region of a picture shows: models that put pictures and words into one space."""
