"""The verb `shapes`: ARKit's shapes for a character that has none, carried over from a rig."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ..formats import character_file
from ..formats.character_file import Character, ShapeKeys
from ..runtime.job import Job, Outcome
from .head_job import read_rig
from .rigs.drawing import draw, portrait
from .rigs.rig import Part, Rig
from .shapes_verb import ShapesOptions
from .transfer.add_shapes import AddedShapes, add_shapes, fit_to, rests
from .transfer.template import template_of

STAGES = ("Finding the face", "Laying the template on the head", "Carrying shapes over")
SHOWN = ("", "jawOpen", "eyeBlinkLeft", "mouthSmileLeft", "mouthPucker", "browInnerUp")
DRAWN = 300_000  # triangles at most of the picture
EYES = 6.3  # centimetres between them in the picture


def run(job: Job[ShapesOptions]) -> Outcome:
    """Leaves shape_keys.npz with the shapes and where the landmarks are, and shapes.png."""
    options = job.options
    character = character_file.read(Path(job.request.input))
    template = template_of(read_rig(options.rig))
    tell = _teller(job)
    if options.only_landmarks:
        brought, fitted, unit = fit_to(template, character, tell)
        marks = {name: fitted[at] * unit for name, at in brought.landmarks.items()}
        empty = np.zeros((0, len(character.vertices), 3), np.float32)
        _write(job, ShapeKeys(names=[], shapes=empty, landmarks=marks))
        return Outcome(f"{len(marks)} landmarks found", {"landmarks": float(len(marks))})
    result = add_shapes(template, character, tell)
    _write(
        job,
        ShapeKeys(names=list(template.names), shapes=result.shapes, landmarks=result.landmarks),
    )
    _draw(job, character, result, template.names)
    summary = f"{len(template.names)} shapes; {rests(character, result)}"
    metrics = {"vertices": float(len(character.vertices)), "met": result.met}
    return Outcome(summary, metrics)


def _teller(job: Job[ShapesOptions]) -> Callable[[str, float], None]:
    """Stages by their names, and how far each is."""
    begun: list[str] = []

    def tell(stage: str, share: float) -> None:
        if stage not in begun:
            begun.append(stage)
            job.stage(stage, STAGES.index(stage) + 1, len(STAGES))
        job.progress(int(100 * share), 100)

    return tell


def _write(job: Job[ShapesOptions], keys: ShapeKeys) -> None:
    character_file.write_keys(job.folder.staging / character_file.KEYS_NAME, keys)


def _draw(
    job: Job[ShapesOptions], character: Character, result: AddedShapes, names: tuple[str, ...]
) -> None:
    """shapes.png: the face at rest and with a few of its shapes."""
    if len(character.triangles) > DRAWN:
        return
    scale, triangles = EYES / result.eyes, character.triangles.astype(np.int32)
    marks = result.landmarks
    middle = (marks["noseTip"] + (marks["eyeInnerLeft"] + marks["eyeInnerRight"]) / 2) / 2
    rest = ((character.vertices - middle) * scale - [0, 0, 8]).astype(np.float32)
    faces = np.hstack([triangles, np.full((len(triangles), 1), -1, np.int32)])
    shown = [name for name in SHOWN if not name or name in names]
    rig = Rig(
        name="character",
        neutral=rest,
        faces=faces,
        parts=np.full(len(faces), Part.SKIN, np.int8),
        names=(),
        shapes=np.zeros((0, len(rest), 3), np.float32),
        identities=np.zeros((0, len(rest), 3), np.float32),
        lowest=np.zeros(0, np.float32),
    )
    views = [
        draw(rig, rest + scale * result.shapes[names.index(n)] if n else rest, portrait(256, 0.35))
        for n in shown
    ]
    path = job.folder.staging / "shapes.png"
    with job.drawing():
        half = (len(views) + 1) // 2
        rows = [np.hstack(views[:half]), np.hstack(views[half : 2 * half])]
        Image.fromarray(np.vstack(rows)).save(path)
        job.preview(path)
