"""One operator a verb: check, build a request, submit."""

from . import (
    baking_meshes,
    brush,
    captures,
    clip_model,
    compute,
    demo,
    files,
    importing_meshes,
    job_control,
    labelling,
    making_meshes,
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
    *selecting.CLASSES, *labelling.CLASSES, *brush.CLASSES, *clip_model.CLASSES, *talking.CLASSES, *making_meshes.CLASSES,
    *importing_meshes.CLASSES, *baking_meshes.CLASSES,
)  # fmt: skip
