"""Panels in the order of work."""

from . import (
    animated_mesh_panel,
    cleaning_panel,
    compute_panel,
    ended_jobs,
    face_shapes_panel,
    job_strip,
    objects_panel,
    panels,
    surface_panel,
    talking_lists,
    talking_panel,
)

CLASSES = (
    *job_strip.CLASSES,
    *ended_jobs.CLASSES,
    *compute_panel.CLASSES,
    *panels.CLASSES,
    *cleaning_panel.CLASSES,
    *surface_panel.CLASSES,
    *objects_panel.CLASSES,
    *talking_lists.CLASSES,
    *talking_panel.CLASSES,
    *face_shapes_panel.CLASSES,
    *animated_mesh_panel.CLASSES,
)
