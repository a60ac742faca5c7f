"""The verb `select`: splats of a segmentation that words or numbers name, as a PLY of their own."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..formats import semantics_file, splat_ply
from ..formats.semantics_file import Semantics
from ..formats.splat_ply import SplatArrays
from ..protocol import VERSION, InputError
from ..runtime import atomic
from ..runtime.job import Job, Outcome
from .query import ask, prompts_of, teacher_of
from .select_verb import SelectOptions
from .teachers.open_clip_teacher import load


def _read(folder: Path) -> tuple[SplatArrays, Semantics]:
    if not (folder / semantics_file.NAME).is_file():
        raise InputError(f"{folder.name} is no segmentation.", "Give the folder that Segment left.")
    arrays, semantics = (
        splat_ply.read(folder / "splats.ply"),
        semantics_file.read(folder / semantics_file.NAME),
    )
    if len(arrays) != len(semantics.objects) or semantics_file.LABEL not in arrays.extra:
        raise InputError(
            "splats.ply and semantics.npz are not of one segmentation.", "Run Segment again."
        )
    return arrays, semantics


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


def _by_words(
    job: Job[SelectOptions], options: SelectOptions, semantics: Semantics
) -> tuple[NDArray[np.bool_], list[dict[str, object]]]:
    prompts = prompts_of(options.prompt)
    teacher = teacher_of(
        semantics, options.model, lambda model: load(model, torch.device(job.device))
    )
    answer = ask(semantics, teacher, prompts)
    scores: list[dict[str, object]] = [
        {"prompt": ", ".join(p.words), "objects": [round(float(s), 4) for s in row]}
        for p, row in zip(prompts, answer.objects, strict=True)
    ]
    return answer.chosen(options.threshold), scores


def run(job: Job[SelectOptions]) -> Outcome:
    """Leaves splats.ply with the chosen splats, or with the rest, and selection.json with the
    objects' scores.
    """
    options = job.options
    if bool(options.prompt.strip()) == bool(options.objects.strip()):
        raise InputError(
            "Say what to select: by words or by the objects' numbers.",
            "Give either --prompt or --objects.",
        )
    job.stage("Reading the splats", 1, 2)
    arrays, semantics = _read(Path(job.request.input))
    job.stage("Selecting", 2, 2)
    if options.prompt.strip():
        chosen, scores = _by_words(job, options, semantics)
    else:
        chosen, scores = (
            np.isin(
                arrays.extra[semantics_file.LABEL],
                _numbers(options.objects, len(semantics.features)),
            ),
            [],
        )
    chosen = ~chosen if options.rest else chosen
    if not chosen.any():
        raise InputError("Nothing is selected.", "Lower the threshold, or use other words.")
    kept = splat_ply.take(arrays, chosen)
    if options.plain:
        kept.extra.clear()
    splat_ply.write(job.folder.staging / "splats.ply", kept, (f"Splatsmith {VERSION}",))
    atomic.write_json(job.folder.staging / "selection.json", scores)
    return Outcome(
        f"{len(kept):,} of {len(arrays):,} splats",
        {"splats": float(len(kept)), "of": float(len(arrays))},
    )
