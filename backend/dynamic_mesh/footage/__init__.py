"""The moving object's footage: timed views cut out around it, masks, tracks, and its place."""
