"""Which vertex of a rig each of the tracker's 478 points is: found by tracking pictures of the rig
itself.

Every point goes to the vertex whose own path through all pictures is nearest to the point's path.
Lids and the inner rims of the lips are told from their neighbours because they alone move when eyes
and mouth do, so no list of indices is needed for any mesh.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...protocol import InputError
from ..tracking.face_mesh import COUNT, LEFT_CORNER, MESH, RIGHT_CORNER
from ..tracking.track import FaceTracker
from .drawing import PortraitCamera, draw, portrait
from .painting import painted
from .rig import Part, Rig

EXPRESSIONS: tuple[dict[str, float], ...] = (
    {}, {"jawOpen": 0.35}, {"jawOpen": 0.7}, {"eyeBlinkLeft": 1, "eyeBlinkRight": 1},
    {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
    {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}, {"mouthPucker": 0.9}, {"mouthFunnel": 0.8,
    "jawOpen": 0.2},
    {"browInnerUp": 0.9, "browOuterUpLeft": 0.9, "browOuterUpRight": 0.9, "eyeWideLeft": 1,
    "eyeWideRight": 1},
    {"mouthUpperUpLeft": 0.9, "mouthUpperUpRight": 0.9, "mouthLowerDownLeft": 0.9,
    "mouthLowerDownRight": 0.9},
    {"eyeLookUpLeft": 0.8, "eyeLookUpRight": 0.8}, {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8,
    "jawOpen": 0.15},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CorrespondenceConfig:
    """How many pictures, how different."""

    yaws: tuple[float, ...] = (0.0, 0.3, -0.3)  # of each expression, radians
    pitch: float = 0.15
    identity: float = 0.7  # standard deviations
    size: int = 320  # pixels
    # eye distances; a point that is farther off in one picture counts as this far
    far: float = 0.12
    seed: int = 0


@dataclass(frozen=True)
class Correspondence:
    """Where the tracker's points lie on a rig: at a vertex, and a little off it, since vertices are
    not everywhere.
    """

    vertices: NDArray[np.int64]  # (478,)
    offsets: Floats  # (478, 3) centimetres, in the rig's axes at rest
    residual: float  # median distance in the pictures, in eye distances


def find_correspondence(
    rig: Rig,
    tracker: FaceTracker,
    config: CorrespondenceConfig = CorrespondenceConfig(),
    progress: Callable[[float], None] = lambda s: None,
) -> Correspondence:
    """Some fifty pictures, 20 seconds. InputError where the tracker sees no face in them.

    After the first twelve they have lips and brows, painted where the first found them: the tracker
    knows faces that have such.
    """
    plain = _matched(
        rig, tracker, replace(config, yaws=config.yaws[:1]), None, lambda share: progress(share / 4)
    )
    return _matched(
        rig,
        tracker,
        config,
        painted(rig, plain.vertices),
        lambda share: progress(0.25 + 0.75 * share),
    )


def _matched(
    rig: Rig,
    tracker: FaceTracker,
    config: CorrespondenceConfig,
    colors: Floats | None,
    progress: Callable[[float], None],
) -> Correspondence:
    random = np.random.default_rng(config.seed)
    wanted = [(expression, yaw) for expression in (*EXPRESSIONS, *_own(rig)) for yaw in config.yaws]
    projected, tracked, views = [], [], []
    for number, (expression, yaw) in enumerate(wanted):
        progress(number / len(wanted))
        view = portrait(config.size, yaw, random.normal() * config.pitch, height=_height(rig))
        coefficients = np.array([expression.get(name, 0.0) for name in rig.names], np.float32)
        identity = (
            random.normal(size=len(rig.identities)).astype(np.float32)
            * config.identity
            * (number > 0)
        )
        vertices = rig.posed(rig.person(identity), coefficients)
        image = draw(rig, vertices, view, colors)
        faces = tracker.faces(image)
        if faces and (landmarks := tracker.find(image, faces[0])).score > tracker.config.score:
            projected.append(view.project(vertices)[..., :2])
            tracked.append(landmarks.points[:, :2])
            views.append(view)
    if len(tracked) < len(wanted) / 2:
        raise InputError(
            f"The face tracker sees no face in {rig.name}.",
            "Choose a face model that looks like a person.",
        )
    return _nearest(
        rig, np.array(projected, np.float32), np.array(tracked, np.float32), views, config
    )


def _own(rig: Rig) -> list[dict[str, float]]:
    """For rigs whose shapes have no names of what they do, the strongest of these, to either
    side.
    """
    return [
        {name: far} for name in rig.names if name.startswith("expression") for far in (-0.7, 0.7)
    ][: len(EXPRESSIONS)]


def _height(rig: Rig) -> float:
    """Centimetres of a picture that shows the head and no more."""
    skin = rig.neutral[rig.vertex_parts == Part.SKIN]
    return 1.4 * float(min(np.ptp(skin[:, 1]), 26.0))


def _nearest(
    rig: Rig,
    projected: Floats,
    tracked: Floats,
    views: list[PortraitCamera],
    config: CorrespondenceConfig,
) -> Correspondence:
    """Of vertices projected (R, V, 2) and points tracked (R, 478, 2)."""
    apart = np.linalg.norm(tracked[:, LEFT_CORNER] - tracked[:, RIGHT_CORNER], axis=1)[
        :, None, None
    ]
    paths, points = torch.from_numpy(projected / apart), torch.from_numpy(tracked / apart)
    vertices = np.zeros(COUNT, np.int64)
    part = torch.from_numpy(rig.vertex_parts)
    for allowed, numbers in (
        ((Part.SKIN,), range(MESH)),
        ((Part.EYE, Part.IRIS), range(MESH, COUNT)),
    ):
        candidates = torch.nonzero(torch.isin(part, torch.tensor(allowed, dtype=part.dtype)))[:, 0]
        rows = list(numbers)
        total = torch.zeros(len(rows), len(candidates))
        for path, point in zip(paths[:, candidates], points[:, rows], strict=True):
            total += torch.cdist(point, path).clamp(max=config.far)
        vertices[rows] = candidates[total.argmin(1)].numpy()
    left = tracked - projected[:, vertices]
    offsets = np.zeros((COUNT, 3), np.float32)
    for image, view in enumerate(views):
        scale = view.focal / view.translation[2]
        offsets += (
            (left[image] / scale) @ view.rotation[:2] / len(views)
        )  # across the line of sight only
    return Correspondence(
        vertices, offsets, float(np.median(np.linalg.norm(left, axis=2) / apart[..., 0]))
    )
