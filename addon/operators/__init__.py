"""One operator a verb: check, build a request, submit."""

from . import (
    animated_mesh,
    brush,
    captures,
    clip_model,
    compute,
    demo,
    files,
    job_control,
    labelling,
    objects,
    picking,
    pipeline,
    render,
    selecting,
    talking,
)

CLASSES = (
    *compute.CLASSES, *demo.CLASSES, *files.CLASSES, *job_control.CLASSES, *pipeline.CLASSES, *captures.CLASSES, *picking.CLASSES,
    *render.CLASSES, *objects.CLASSES,
    *selecting.CLASSES, *labelling.CLASSES, *brush.CLASSES, *clip_model.CLASSES, *talking.CLASSES, *animated_mesh.CLASSES,
)  # fmt: skip
