"""One operator a verb: check, build a request, submit."""

from . import captures, compute, demo, files, job_control, objects, picking, pipeline, render

CLASSES = (
    *compute.CLASSES, *demo.CLASSES, *files.CLASSES, *job_control.CLASSES, *pipeline.CLASSES, *captures.CLASSES, *picking.CLASSES,
    *render.CLASSES, *objects.CLASSES,
)  # fmt: skip
