"""One operator a verb: check, build a request, submit."""

from . import brush, captures, compute, demo, files, job_control, labelling, objects, picking, pipeline, render, selecting

CLASSES = (
    *compute.CLASSES, *demo.CLASSES, *files.CLASSES, *job_control.CLASSES, *pipeline.CLASSES, *captures.CLASSES, *picking.CLASSES,
    *render.CLASSES, *objects.CLASSES,
    *selecting.CLASSES, *labelling.CLASSES, *brush.CLASSES,
)  # fmt: skip
