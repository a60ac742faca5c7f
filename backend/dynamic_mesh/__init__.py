"""Moving objects as meshes: tracked, with one topology for all time, or with free topology as
DG-Mesh has it (Liu et al. 2024).
"""
