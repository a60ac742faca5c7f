"""The compute side of Splatsmith. It never imports bpy; `python -m backend --help` shows what it
does.
"""
