"""The verb `head`: a head with ARKit's shapes to animate, the project's own, ICT-FaceKit's or
FLAME's; anybody's, or nobody's.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from ..formats import head_file
from ..formats.head_file import Head
from ..geometry.arrays import Floats
from ..runtime.job import Job, Outcome
from .default_head.files import head_in_parts, styled_head
from .head_verb import HeadOptions
from .rigs.drawing import COLORS, draw, portrait
from .rigs.flame import read_flame
from .rigs.ict import read_ict
from .rigs.rig import Part, Rig
from .rigs.small_head.build import small_head
from .rigs.teeth import behind_lips

SMALL = "small"  # the input that stands for the project's own


def read_rig(source: str) -> Rig:
    """The project's own for `small` or nothing, FLAME from a file, ICT-FaceKit from a folder."""
    if source in ("", SMALL):
        return small_head()
    return read_flame(Path(source)) if Path(source).is_file() else read_ict(Path(source))


def write_head(folder: Path, rig: Rig, rest: Floats) -> None:
    """head.npz, and head.png to look at."""
    table = np.array([COLORS[part] for part in Part], np.float32)
    colors = rig.colors if rig.colors is not None else table[rig.vertex_parts]
    head_file.write(
        folder / head_file.NAME,
        Head(
            name=rig.name,
            vertices=rest,
            faces=rig.faces,
            names=list(rig.names),
            shapes=rig.shapes,
            colors=colors,
            lowest=rig.lowest,
        ),
    )
    middle = rest[rig.vertex_parts == Part.EYE].mean(0) - [0, 2, 0]
    views = [
        draw(rig, rest - middle, portrait(360, yaw, height=30.0), colors) for yaw in (0.0, 0.7)
    ]
    Image.fromarray(np.hstack(views)).save(folder / "head.png")


def run(job: Job[HeadOptions]) -> Outcome:
    """Leaves head.npz and head.png."""
    options = job.options
    job.stage("Making the head", 1, 1)
    rig = read_rig(job.request.input)
    random = np.random.default_rng(job.request.seed)
    identity = (random.normal(size=len(rig.identities)) * options.variety).astype(np.float32)
    rig, rest, _ = behind_lips(rig, rig.person(identity))
    write_head(job.folder.staging, rig, rest)
    small = job.request.input in ("", SMALL)
    head = styled_head(identity) if small else head_in_parts(rig, rest)
    head_file.write(job.folder.staging / head_file.NAME, head)
    title = "Default head" if small else rig.name
    return Outcome(
        f"{title}: {len(head.vertices):,} vertices, {len(rig.names)} shape keys",
        {"vertices": float(len(head.vertices))},
    )
