"""DG-Mesh as published (Liu, Su, Wang 2024): a new mesh in every frame, tied to the others through
canonical space.
"""
