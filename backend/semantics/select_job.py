"""The verb `select`: splats of a segmentation that words or numbers name, as a PLY of their own."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..formats import splat_ply
from ..formats.splat_ply import SplatArrays
from ..geometry.arrays import Flags
from ..protocol import InputError
from ..runtime import atomic
from ..runtime.job import Job, Outcome
from .cut_objects import MADE_BY, cut_chosen, filled, write_each
from .query import ask, prompts_of, teacher_of
from .segmentation import Segmentation, read_segmentation
from .select_verb import SelectOptions
from .teachers.loading import load

EACH = "objects"  # the folder of files, one an object


@dataclass(frozen=True)
class Chosen:
    """Which splats, and why."""

    splats: Flags  # (N,)
    numbers: list[int] = field(default_factory=list)  # objects that were named
    scores: list[dict[str, object]] = field(default_factory=list)
    nearest: str = ""  # what comes nearest to the words


def _numbers(text: str, count: int) -> list[int]:
    """Object numbers as people write them: "0, 3, 7"."""
    numbers = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in numbers if not part.isdecimal() or int(part) >= count]
    if wrong:
        raise InputError(
            f"There is no object {wrong[0]!r}.",
            f"Objects are numbered from 0 to {count - 1}, see objects.json.",
        )
    return [int(part) for part in numbers]


def _by_words(job: Job[SelectOptions], scene: Segmentation) -> Chosen:
    options = job.options
    prompts = prompts_of(options.prompt)
    teacher = teacher_of(
        scene.semantics, options.model, lambda model: load(model, torch.device(job.device))
    )
    answer = ask(scene.semantics, teacher, prompts)
    scores: list[dict[str, object]] = [
        {"prompt": ", ".join(p.words), "objects": [round(float(s), 4) for s in row]}
        for p, row in zip(prompts, answer.objects, strict=True)
    ]
    fits = np.flatnonzero(answer.objects.max(0) >= options.threshold)
    nearest = ", ".join(f"{scene.names[k]} ({score:.2f})" for k, score in answer.nearest())
    return Chosen(answer.chosen(options.threshold), fits.tolist(), scores, nearest)


def _chosen(job: Job[SelectOptions], scene: Segmentation) -> Chosen:
    options, count = job.options, len(scene.semantics.features)
    if options.prompt.strip():
        return _by_words(job, scene)
    numbers = _numbers(options.objects, count) if options.objects.strip() else list(range(count))
    return Chosen(np.isin(scene.labels, numbers), numbers)


def _check(options: SelectOptions) -> None:
    named = bool(options.prompt.strip()) + bool(options.objects.strip())
    if named == 2 or (not named and not options.each):
        raise InputError(
            "Say what to select: by words or by the objects' numbers.",
            "Give either --prompt or --objects, or --each for a file of every object.",
        )
    if options.fill and not options.rest:
        raise InputError(
            "--fill closes the hole that an object leaves behind.",
            "Give --rest too: everything but the selection.",
        )


def run(job: Job[SelectOptions]) -> Outcome:
    """Leaves splats.ply with the chosen splats, or with the rest, and selection.json with the
    objects' scores; a PLY an object with `each`.
    """
    options = job.options
    _check(options)
    job.stage("Reading the splats", 1, 2)
    scene = read_segmentation(Path(job.request.input))
    job.stage("Selecting", 2, 2)
    chosen = _chosen(job, scene)
    splats = ~chosen.splats if options.rest else chosen.splats
    if options.prompt.strip() and not chosen.splats.any():
        raise InputError(
            f"Nothing fits {options.prompt.strip()!r}. Nearest: {chosen.nearest}.",
            f"Use other words, or a threshold below {options.threshold:g}.",
        )
    if not splats.any():
        raise InputError("Nothing is selected.", "Name other objects.")
    kept, told = _kept(options, scene, splats)
    if options.each:
        folder = job.folder.staging / EACH
        told = write_each(scene, chosen.numbers, folder, options.clean, options.plain)
    if options.plain:
        kept.extra.clear()
    splat_ply.write(job.folder.staging / "splats.ply", kept, MADE_BY)
    atomic.write_json(job.folder.staging / "selection.json", chosen.scores)
    for line in told:
        job.warn("CUT", line)
    return Outcome(
        f"{len(kept):,} of {len(scene.arrays):,} splats",
        {"splats": float(len(kept)), "of": float(len(scene.arrays))},
    )


def _kept(
    options: SelectOptions, scene: Segmentation, splats: Flags
) -> tuple[SplatArrays, list[str]]:
    """The splats (N,) as they are wanted, and lines about them."""
    if options.fill:
        arrays, line = filled(scene, ~splats, options.capture)
        return arrays, [line]
    if options.clean and not options.rest:
        return cut_chosen(scene, splats)
    return splat_ply.take(scene.arrays, splats), []
