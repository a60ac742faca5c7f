"""The shapes of a rig carried over to the head of another mesh: found on it, fitted to it,
transferred.
"""
