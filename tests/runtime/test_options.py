"""What the verbs can be told."""

def test_nothing(): pass
