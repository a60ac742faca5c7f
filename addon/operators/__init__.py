"""One operator a verb: check, build a request, submit."""

from . import compute, demo, files, job_control, pipeline, render

CLASSES = (*compute.CLASSES, *demo.CLASSES, *files.CLASSES, *job_control.CLASSES, *pipeline.CLASSES, *render.CLASSES)
