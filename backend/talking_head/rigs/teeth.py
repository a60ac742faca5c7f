"""Teeth, gums and tongue stay behind the lips: how far they stand out through them in a pose, and
shapes in which they give way by so much.

What gives way is linear, as shapes are: a row that goes back by what each shape needs goes back by
the sum of it where several are up, as the lips do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Doubles, Floats, Ints
from ...geometry.triangles import nearest_triangles
from .rig import Part, Rig

STEP = 0.08  # centimetres of a pixel
AROUND = 2.5  # centimetres of lips about the teeth
DEEPEST = 0.6  # centimetres; what lies further before a lip is seen through the open mouth
YAWS = (0.0, 0.4, -0.4)  # radians from which it is looked at
SPARE = 0.04  # centimetres that are left between teeth and lips
ROUNDS = 8
MOUTH = ("jaw", "mouth", "cheekPuff", "noseSneer", "tongueOut")  # beginnings of shapes that count
SIDED = ("Left", "Right")
# what a mouth does at once: shut, smiling, rounded, pressed, rolled in, a little open
COMMON: tuple[dict[str, float], ...] = (
    {"mouthSmile": 1},
    {"mouthSmile": 0.7, "mouthPress": 0.7},
    {"mouthSmile": 0.7, "mouthRollUpper": 0.7, "mouthRollLower": 0.7},
    {"mouthSmile": 1, "jawOpen": 0.2},
    {"mouthSmile": 1, "mouthStretch": 0.7},
    {"mouthSmile": 0.7, "mouthDimple": 0.7},
    {"mouthFrown": 1, "mouthPress": 1},
    {"mouthPress": 1},
    {"mouthPress": 1, "mouthRollUpper": 1, "mouthRollLower": 1},
    {"mouthRollUpper": 1, "mouthRollLower": 1},
    {"mouthRollLower": 1, "mouthShrugLower": 1},
    {"mouthRollUpper": 1, "jawOpen": 0.2},
    {"mouthRollLower": 1, "jawOpen": 0.2},
    {"mouthRollUpper": 1, "mouthStretch": 1},
    {"mouthRollUpper": 0.6, "jawLeft": 0.6},
    {"mouthRollUpper": 0.6, "jawRight": 0.6},
    {"mouthFunnel": 1, "jawOpen": 0.2},
    {"mouthFunnel": 0.5, "mouthPucker": 0.5},
    {"mouthPucker": 1, "mouthPress": 0.5},
    {"mouthClose": 0.3, "jawOpen": 0.3},
    {"mouthClose": 1, "jawOpen": 1},
    {"mouthShrugUpper": 1, "mouthShrugLower": 1},
    {"mouthLowerDown": 0.6, "mouthUpperUp": 0.6, "jawOpen": 0.2},
    {"jawForward": 0.5, "mouthPress": 0.5},
)


@dataclass(frozen=True, kw_only=True)
class MouthInside:
    """The part of a rig that tells: V vertices of lips and of what lies behind them."""

    used: Ints  # (V,) their numbers in the rig
    shapes: Floats  # (K, V, 3)
    lips: tuple[Ints, Ints]  # triangles (T, 3) of the upper and of the lower one
    rows: tuple[Ints, Ints]  # upper and lower teeth with their gums; the tongue goes with the lower
    out: NDArray[np.bool_]  # (V,) of a tongue that may be put out
    tongue_out: int  # number of that shape; -1 without one


def mouth_inside(rig: Rig) -> MouthInside | None:
    """None where a rig has no teeth, or no jaw that opens."""
    inside = np.isin(rig.vertex_parts, (Part.TEETH, Part.TONGUE))
    if not inside.any() or "jawOpen" not in rig.names:
        return None
    jaw = np.linalg.norm(rig.shapes[rig.names.index("jawOpen")], axis=1)
    low, high = rig.neutral[inside].min(0) - AROUND, rig.neutral[inside].max(0) + 2 * AROUND
    triangles = rig.triangles[rig.triangle_parts == Part.SKIN]
    lips = triangles[((rig.neutral[triangles] > low) & (rig.neutral[triangles] < high)).all((1, 2))]
    if not len(lips):
        return None
    used = np.union1d(lips, np.flatnonzero(inside))
    place = np.full(len(rig.neutral), -1)
    place[used] = np.arange(len(used))
    below = jaw > 0.5 * jaw[used].max()
    lower = below[lips].sum(1) > 1
    tongue = rig.names.index("tongueOut") if "tongueOut" in rig.names else -1
    out = np.zeros(len(used), bool)
    if tongue >= 0:
        moved = np.linalg.norm(rig.shapes[tongue][used], axis=1)
        out = inside[used] & (moved > 0.02 * max(float(moved.max()), 1e-9))
    return MouthInside(
        used=used,
        shapes=rig.shapes[:, used],
        lips=(place[lips[~lower]], place[lips[lower]]),
        rows=(place[inside & ~below], place[inside & below]),
        out=out,
        tongue_out=tongue,
    )


def common_poses(names: Sequence[str]) -> Floats:
    """(P, K) rest, every shape of the mouth by itself, and what mouths do at once."""
    alone = [{name: 1.0} for name in names if name.startswith(MOUTH)]
    rows = [{}, *alone, *COMMON]
    poses = np.zeros((len(rows), len(names)), np.float32)
    for pose, row in zip(poses, rows, strict=True):
        for name, value in row.items():
            for whole in (name, *(name + side for side in SIDED)):
                if whole in names:
                    pose[names.index(whole)] = value
    return poses


def stands_out(mouth: MouthInside, rest: Floats, pose: Floats) -> tuple[Doubles, Doubles]:
    """(I,) and (J,) centimetres by which vertices of the upper and the lower row stand out through
    their own lip, from the worst of the views; below 0 behind it, -inf where no lip is before them.
    `rest` (V, 3) is the rig's, of a person.
    """
    up = np.flatnonzero(pose)
    posed = (rest[mouth.used] + np.tensordot(pose[up], mouth.shapes[up], 1)).astype(np.float64)
    worst = [np.full(len(row), -np.inf) for row in mouth.rows]
    for yaw in YAWS:
        seen = posed @ _turn(yaw).T
        for number, (row, lip) in enumerate(zip(mouth.rows, mouth.lips, strict=True)):
            before = (seen[row, 2] - _depth(seen[lip], seen[row])) / np.cos(yaw)
            before[~(before < DEEPEST)] = -np.inf
            worst[number] = np.maximum(worst[number], before)
    if mouth.tongue_out in up:
        for row, values in zip(mouth.rows, worst, strict=True):
            values[mouth.out[row]] = -np.inf
    return worst[0], worst[1]


def _turn(yaw: float) -> Doubles:
    """Rows: to the viewer's right, up, towards the viewer."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


def _depth(lip: Doubles, row: Doubles) -> Doubles:
    """(I,) nearness of the foremost lip at the places of a row (I, 3), of triangles (T, 3, 3) that
    face the viewer; nan where there is none.
    """
    low, high = row[:, :2].min(0) - 2 * STEP, row[:, :2].max(0) + 2 * STEP
    first, second = lip[:, 1] - lip[:, 0], lip[:, 2] - lip[:, 0]
    facing = first[:, 0] * second[:, 1] > first[:, 1] * second[:, 0]
    near = ((lip[..., :2].max(1) > low) & (lip[..., :2].min(1) < high)).all(1)
    some = lip[facing & near]
    size = np.ceil((high - low) / STEP).astype(int)
    shown = np.full(int(size.prod()), np.nan)
    pixels = (some[..., :2] - low) / STEP
    seen = nearest_triangles(pixels, some[..., 2], (int(size[0]), int(size[1])))
    shown[seen.pixels] = seen.nearness
    column, line = ((row[:, :2] - low) / STEP).astype(int).T
    return np.asarray(shown[line * size[0] + column])


def behind_lips(
    rig: Rig, rest: Floats, poses: Iterable[Floats] | None = None
) -> tuple[Rig, Floats, int]:
    """The rig with rows that give way in its shapes, and a resting face (V, 3) in which they lie
    behind the lips; how many of the poses (K,) showed some through them. By default those that
    are common; a captured face has its own as well.
    """
    mouth = mouth_inside(rig)
    if mouth is None:
        return rig, rest, 0
    more = list(poses) if poses is not None else []
    every = np.stack([*common_poses(rig.names), *more])
    out = np.array(
        [[row.max(initial=-np.inf) for row in stands_out(mouth, rest, pose)] for pose in every]
    )
    back = np.stack([_giving_way(far + SPARE, every) for far in out.T])
    return *_moved(rig, rest, mouth, back), int((out > 0).any(1).sum())


def _giving_way(needed: Doubles, poses: Floats) -> Doubles:
    """(1 + K,) centimetres at rest and in each shape, never below 0, of which a pose (P, K) makes
    at least `needed` (P,): one condition after the other is met (Kaczmarz 1937).
    """
    back = np.zeros(1 + poses.shape[1])
    up = poses.clip(0)
    still = ~up.any(1)
    back[0] = needed[still].max(initial=0.0)
    for _ in range(ROUNDS):
        for far, pose in zip(needed[~still], up[~still], strict=True):
            lacking = far - back[0] - float(back[1:] @ pose)
            back[1:] += max(lacking, 0.0) * pose / (pose @ pose)
    return back


def _moved(rig: Rig, rest: Floats, mouth: MouthInside, back: Doubles) -> tuple[Rig, Floats]:
    """Both with rows that stand back by `back` (2, 1 + K) centimetres."""
    if not back.any():
        return rig, rest
    shapes, lying = rig.shapes.copy(), rest.copy()
    for row, far in zip(mouth.rows, back, strict=True):
        numbers = mouth.used[row]
        lying[numbers, 2] -= np.float32(far[0])
        shapes[:, numbers, 2] -= far[1:, None].astype(np.float32)
    return replace(rig, shapes=shapes), lying
