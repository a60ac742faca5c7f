"""The first surface of a moving object: from silhouettes or from oriented points, cleaned,
decimated, unwrapped.
"""
