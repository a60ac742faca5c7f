"""What is rendered: the splats, whose each is, and what they are painted with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...formats import semantics_file
from ...formats.splat_ply import SplatArrays
from ...formats.splats import files
from ...gaussians.model import Gaussians, from_arrays
from ...geometry.arrays import Floats, Ints32
from ...protocol import InputError
from ...runtime.job import Job
from ..query import ask, prompts_of, teacher_of
from ..segmentation import labels_of, object_names
from ..teachers.loading import load
from ..teachers.teacher import Teacher
from .painting import (
    SplatPaint,
    heat_of,
    listed_colors,
    object_colors,
    own_colors,
    property_of,
    require_labels,
)
from .render_verb import RenderOptions


@dataclass(frozen=True, kw_only=True)
class RenderScene:
    """Splats on a device, ready to be drawn."""

    arrays: SplatArrays
    model: Gaussians
    paint: SplatPaint
    labels: Ints32 | None  # (N,) the object of each, -1: none; where they are asked for
    names: list[str]  # of the objects, by number


def read_scene(job: Job[RenderOptions]) -> RenderScene:
    """The input: a file of splats, or the folder that Segment left."""
    options, source = job.options, Path(job.request.input)
    is_segmentation = (source / semantics_file.NAME).is_file()
    arrays = files.read(source / "splats.ply" if is_segmentation else source)
    for text in arrays.told:
        job.warn("INPUT", text)
    if arrays.left_out:
        job.warn("LEFT_OUT", f"Left out: {'; '.join(arrays.left_out)}.")
    home = source if is_segmentation else source.parent
    model = from_arrays(arrays, job.device)
    labels: Ints32 | None = None
    if options.objects or options.labels:
        require_labels(arrays)
        labels = labels_of(arrays)
    count = int(labels.max(initial=-1)) + 1 if labels is not None else 0
    names = list(object_names(home / semantics_file.OBJECTS, count))
    device = torch.device(job.device)
    if options.objects and labels is not None:
        paint = object_colors(labels, listed_colors(home / semantics_file.OBJECTS, count), device)
    elif options.heat.strip() or options.heat_of:
        paint = heat_of(_fits(options, arrays, home, device), arrays, device)
    else:
        paint = own_colors(model)
    return RenderScene(
        arrays=arrays,
        model=model,
        paint=paint,
        labels=labels if options.labels else None,
        names=names,
    )


def _fits(options: RenderOptions, arrays: SplatArrays, home: Path, device: torch.device) -> Floats:
    """(N,) how well each splat fits, 0..1."""
    if options.heat_of:
        return property_of(arrays, options.heat_of)
    if not (home / semantics_file.NAME).is_file():
        raise InputError(
            "Words need what Segment found in the splats.", "Give the folder that Segment left."
        )
    semantics = semantics_file.read(home / semantics_file.NAME)
    if len(semantics.objects) != len(arrays):
        raise InputError(
            "splats.ply and semantics.npz are not of one segmentation.", "Run Segment again."
        )
    loader: Callable[[str], Teacher] = lambda model: load(model, device)  # noqa: E731
    teacher = teacher_of(semantics, options.model, loader)
    return np.asarray(ask(semantics, teacher, prompts_of(options.heat)).splats, np.float32)
