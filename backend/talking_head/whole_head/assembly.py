"""From a fitted clip to a whole head: mattes, the mesh with hair and shoulders, a bending neck."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Doubles, Floats, Pixels
from ...geometry.nearest_rotation import nearest_rotation
from ...media.decoding import Damage, decode, open_video
from ...media.video import upright
from ...networks.segmenter import Segmenter
from ..fitting.head_motion import HeadMotion
from ..rigs.drawing import PortraitCamera
from ..rigs.rig import Rig
from . import neck
from .anatomy import Anatomy, anatomy, speaking_triangles, stillness
from .body import usual_bust, with_bust, without_shoulders
from .bust_fit import fitted_bust
from .matting import HeadPlace, MattingConfig, head_place, person_mattes, small
from .person_network import people
from .shell import Outlines, fitted_shell

TOLD = 40  # frames whose outlines tell the shape


@dataclass(frozen=True, kw_only=True)
class WholeHead:
    """A person's rig with hair, shoulders and neck, and the clip's motion of it."""

    rig: Rig
    motion: HeadMotion
    anatomy: Anatomy
    body: NDArray[np.bool_]  # (V,) the bust
    speaking: NDArray[np.bool_]  # (T,) triangles of lips and the mouth's inside
    mattes: dict[int, Floats]  # (h, w) by the frame's number
    yaw_range: Floats  # (2,) degrees to the person's left, against the camera, that are shown


def footage(
    path: Path, motion: HeadMotion, numbers: NDArray[np.int64], max_side: int
) -> Iterator[tuple[int, Pixels]]:
    """Those of the motion's frames, in one pass over the video. `max_side` is the tracker's."""
    wanted, left = set(numbers.tolist()), len(set(numbers.tolist()))
    with open_video(path) as container:
        for time, frame in decode(container, path, Damage()):
            number = int(np.abs(motion.times - time).argmin())
            if time > motion.times[-1] + 1e-4 or not left:
                break
            if number not in wanted or abs(motion.times[number] - time) > 1e-4:
                continue
            pixels = upright(frame, container.streams.video[0], max_side)
            if pixels.shape[:2] == (motion.height, motion.width):
                left -= 1
                yield number, pixels


def assemble(
    path: Path,
    rig: Rig,
    motion: HeadMotion,
    numbers: NDArray[np.int64],
    max_side: int,
    config: MattingConfig = MattingConfig(),
    progress: Callable[[float], None] = lambda share: None,
    network: Segmenter | None = None,
) -> WholeHead:
    """Of the video at `path`, by its frames with these numbers. `network` tells people from the
    background, where there is one.
    """
    where = anatomy(rig, motion.rest)
    head, rest = without_shoulders(rig, motion.rest, where)
    shown = {
        n: small(pixels, config.side) for n, pixels in footage(path, motion, numbers, max_side)
    }
    above = where.height(rest) > 0
    posed = {n: head.posed(rest, motion.coefficients[n]) for n in shown}
    size = next(iter(shown.values())).shape[:2] if shown else (1, 1)
    places: list[HeadPlace] = []
    views: dict[int, PortraitCamera] = {n: smaller(motion.view(n), size) for n in shown}
    for number in shown:
        places.append(head_place(views[number], posed[number][above], 1.0))
    told = people(network, shown.values(), places) if network is not None else None
    cuts = person_mattes(list(shown.values()), places, config, progress, told)
    mattes = dict(zip(shown, cuts, strict=True))
    some = list(shown)[:: max(1, len(shown) // TOLD)]
    outlines = Outlines(
        mattes=[mattes[n] for n in some],
        views=[views[n] for n in some],
        posed=[posed[n] for n in some],
    )
    rest = fitted_shell(head, rest, stillness(head), where, outlines)
    turns = turns_of_head(motion.rotations)
    bust = fitted_bust(
        usual_bust(where, rest),
        outlines.mattes,
        outlines.views,
        [turns[n].T.astype(np.float32) for n in some],
    )
    first = len(rest)
    whole, rest = with_bust(head, rest, bust)
    whole, moved = with_neck(whole, rest, where, motion, turns)
    body = np.arange(len(rest)) >= first
    return WholeHead(
        rig=whole,
        motion=moved,
        anatomy=where,
        body=body,
        speaking=speaking_triangles(whole, where),
        mattes=mattes,
        yaw_range=shown_yaw(motion, list(shown)),
    )


def also_filmed(
    whole: WholeHead,
    path: Path,
    motion: HeadMotion,
    numbers: NDArray[np.int64],
    max_side: int,
    config: MattingConfig = MattingConfig(),
    progress: Callable[[float], None] = lambda share: None,
    network: Segmenter | None = None,
) -> WholeHead:
    """The same head, by another video of the person: with that one's motion, cameras and mattes.
    Hair and shoulders stay those of the first, whatever is worn in this one.
    """
    bent = neck.coefficients(neck.angles_of(turns_of_head(motion.rotations)))
    coefficients = np.concatenate([motion.coefficients, bent], 1)
    moved = replace(
        motion, names=whole.rig.names, coefficients=coefficients, rest=whole.motion.rest
    )
    shown = {n: small(pixels, config.side) for n, pixels in footage(path, moved, numbers, max_side)}
    above = (whole.anatomy.height(moved.rest) > 0) & ~whole.body
    places = []
    for number, image in shown.items():
        view = smaller(moved.view(number), image.shape[:2])
        places.append(head_place(view, moved.vertices(whole.rig, number)[above], 1.0))
    told = people(network, shown.values(), places) if network is not None else None
    cuts = person_mattes(list(shown.values()), places, config, progress, told) if shown else []
    return replace(
        whole,
        motion=moved,
        mattes=dict(zip(shown, cuts, strict=True)),
        yaw_range=shown_yaw(moved, list(shown)),
    )


def shown_yaw(motion: HeadMotion, numbers: list[int]) -> Floats:
    """(2,) degrees to the person's left between which the camera sees the head in these frames, but
    for a fiftieth at either end.
    """
    if not numbers:
        return np.zeros(2, np.float32)
    eye = -np.einsum("tji,tj->ti", motion.rotations[numbers], motion.translations[numbers])
    yaw = np.degrees(np.arctan2(eye[:, 0], eye[:, 2]))
    return np.asarray(np.quantile(yaw, [0.02, 0.98]), np.float32)


def smaller(view: PortraitCamera, size: tuple[int, int]) -> PortraitCamera:
    """The camera of a picture of another size (height, width)."""
    scale = size[1] / view.width
    return replace(view, focal=view.focal * scale, width=size[1], height=size[0])


def turns_of_head(rotations: Doubles) -> Doubles:
    """(T, 3, 3) of the head against the shoulders, which are taken to face where the head does on
    average: x_shoulders = turn (x - joint) + joint.
    """
    middle = nearest_rotation(rotations.mean(0)[None])[0][0]
    return np.asarray(middle.T @ rotations)


def with_neck(
    rig: Rig, rest: Floats, where: Anatomy, motion: HeadMotion, turns: Doubles
) -> tuple[Rig, HeadMotion]:
    """Both with the neck's six shapes behind the rig's own."""
    shapes = neck.shapes(rest, where)
    bent = neck.coefficients(neck.angles_of(turns))
    names = (*rig.names, *neck.NAMES)
    whole = replace(
        rig,
        names=names,
        shapes=np.concatenate([rig.shapes, shapes]),
        lowest=np.concatenate([rig.lowest, np.zeros(len(shapes), np.float32)]),
    )
    coefficients = np.concatenate([motion.coefficients, bent], 1)
    return whole, replace(motion, names=names, coefficients=coefficients, rest=rest)
