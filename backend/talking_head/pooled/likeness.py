"""Whether clips show one person: each is fitted by itself, and their resting faces are compared
where speech does not move them.
"""

from dataclasses import replace

import numpy as np

from ...geometry.arrays import Floats
from ...geometry.nearest_rotation import nearest_rotation
from ..fitting.clip_fit import FittedClip, FittedPerson
from ..fitting.fit import fit_in_rounds
from ..fitting.fit_config import FaceFitConfig, point_weights
from ..rigs.correspondence import Correspondence
from ..rigs.rig import Rig
from ..tracking.face_mesh import LEFT_CORNER, MESH, RIGHT_CORNER
from ..tracking.track import FaceTrack

FRAMES, ROUNDS = 80, 4  # a look is enough
# eye distances: between clips of one person there are 0.0075 at most (35 pairs: GRID's speaker 1,
# three seconds each; quarters of talk_french50; two cuts of sadtalker_aoc), between four people at
# least 0.0165
STRANGE = 0.012


def resting_points(track: FaceTrack, rig: Rig, where: Correspondence) -> Floats:
    """(P, 3) of a clip's face at rest, in eye distances: those that do not move in speech."""
    config = replace(FaceFitConfig(), rounds=ROUNDS, smooth=0.0)
    person = FittedPerson(rig, where, config)
    fit_in_rounds(person, [FittedClip(_some(track), person)])
    points = person.rest()[:MESH].numpy()
    eyes = np.linalg.norm(points[LEFT_CORNER] - points[RIGHT_CORNER])
    still = point_weights(config)[1][:MESH].numpy()
    return np.asarray(points[still >= still.max()] / max(eyes, 1e-6), np.float32)


def difference(one: Floats, other: Floats) -> float:
    """Mean distance of points (P, 3) once they are laid on one another as wholes (Umeyama
    1991).
    """
    a, b = one - one.mean(0), other - other.mean(0)
    turn, singular = nearest_rotation((b.T @ a)[None].astype(np.float64))
    scale = float(singular.sum()) / max(float((a**2).sum()), 1e-12)
    return float(np.linalg.norm(scale * a @ turn[0].T - b, axis=1).mean())


def _some(track: FaceTrack) -> FaceTrack:
    """FRAMES at most of those that show the face."""
    seen = np.flatnonzero(track.seen)
    numbers = seen[np.unique(np.linspace(0, len(seen) - 1, min(FRAMES, len(seen))).astype(int))]
    return replace(
        track,
        points=track.points[numbers],
        scores=track.scores[numbers],
        times=track.times[numbers],
    )
