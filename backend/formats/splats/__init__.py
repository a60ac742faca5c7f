"""Splat files of every kind, a file a format; files.py tells them apart. numpy only, with packages
that a format needs imported where it is read or written.
"""
