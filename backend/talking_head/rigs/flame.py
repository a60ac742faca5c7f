"""FLAME (Li et al. 2017) as a rig: its expressions as they are, and its joints as shapes with
ARKit's names.

The jaw and the eyeballs of FLAME turn. A rig's shapes are linear, so each stands for its joint's
turn to one side, as far as faces go; in between, a jaw is off by less than a millimetre. Its teeth
are missing, as in the published model.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...protocol import InputError
from .flame_file import read_arrays
from .rig import Part, Rig

CENTIMETRES = 100
IDENTITIES, EXPRESSIONS = 50, 50  # of 300 and 100: what is left moves by less than the tracker sees
FIRST_EXPRESSION = 300
STRONG = 3.0  # standard deviations that a coefficient of 1 stands for
JAW, LEFT_EYE, RIGHT_EYE = 2, 3, 4  # joints
TURNS = (
    ("jawOpen", JAW, (0.4, 0.0, 0.0)), ("jawLeft", JAW, (0.0, 0.15, 0.0)), ("jawRight", JAW, (0.0,
    -0.15, 0.0)),
    ("eyeLookUpLeft", LEFT_EYE, (-0.44, 0, 0)), ("eyeLookDownLeft", LEFT_EYE, (0.44, 0, 0)),
    ("eyeLookInLeft", LEFT_EYE, (0, -0.52, 0)), ("eyeLookOutLeft", LEFT_EYE, (0, 0.52, 0)),
    ("eyeLookUpRight", RIGHT_EYE, (-0.44, 0, 0)), ("eyeLookDownRight", RIGHT_EYE, (0.44, 0, 0)),
    ("eyeLookInRight", RIGHT_EYE, (0, 0.52, 0)), ("eyeLookOutRight", RIGHT_EYE, (0, -0.52, 0)),
)  # fmt: skip


def read_flame(path: Path) -> Rig:
    """InputError where the file is not FLAME's, or not whole."""
    arrays = read_arrays(path)
    neutral, faces = (
        arrays["v_template"].astype(np.float32) * CENTIMETRES,
        arrays["f"].astype(np.int32),
    )
    directions, weights, regressor = (
        arrays[key].astype(np.float32) for key in ("shapedirs", "weights", "J_regressor")
    )
    count = len(neutral)
    fits = (
        neutral.shape == (count, 3)
        and faces.ndim == 2
        and faces.shape[1] == 3
        and directions.shape[:2] == (count, 3)
    )
    if (
        not fits
        or directions.shape[2] < FIRST_EXPRESSION + 1
        or weights.shape != (count, 5)
        or regressor.shape != (5, count)
    ):
        raise InputError(
            f"{path.name} is damaged: its parts do not fit together.", "Fetch FLAME again."
        )
    if (
        faces.min() < 0
        or faces.max() >= count
        or not all(np.isfinite(a).all() for a in (neutral, directions, weights, regressor))
    ):
        raise InputError(
            f"{path.name} is damaged: it holds numbers that are none.", "Fetch FLAME again."
        )
    modes = np.moveaxis(directions, 2, 0) * CENTIMETRES
    expressions = modes[FIRST_EXPRESSION : FIRST_EXPRESSION + EXPRESSIONS] * STRONG
    joints = regressor @ neutral
    shapes = np.stack(
        [
            *(
                _turned(neutral, joints[joint], weights[:, joint], vector)
                for _, joint, vector in TURNS
            ),
            *expressions,
        ]
    )
    names = [
        *(name for name, _, _ in TURNS),
        *(f"expression{k + 1:02d}" for k in range(len(expressions))),
    ]
    lowest = np.array([0.0] * len(TURNS) + [-1.0] * len(expressions), np.float32)
    four = np.concatenate([faces, np.full((len(faces), 1), -1, np.int32)], 1)
    parts = _parts(faces, weights, neutral, joints)
    return Rig(
        name="FLAME",
        neutral=neutral,
        faces=four,
        parts=parts,
        names=tuple(names),
        shapes=shapes.astype(np.float32),
        identities=modes[:IDENTITIES].astype(np.float32),
        lowest=lowest,
    )


def _turned(
    vertices: Floats, joint: Floats, weights: Floats, vector: tuple[float, float, float]
) -> Floats:
    """(V, 3) how far a joint's turn carries each vertex, by its weight (linear blend skinning)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = np.array(vector) / angle
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew  # Rodrigues
    return np.asarray(weights[:, None] * ((vertices - joint) @ (turn - np.eye(3)).T), np.float32)


def _parts(
    faces: NDArray[np.int32], weights: Floats, neutral: Floats, joints: Floats
) -> NDArray[np.int8]:
    """What turns with an eye is that eye; its front, as wide as an iris, the iris."""
    parts = np.full(len(faces), Part.SKIN, np.int8)
    for joint in (LEFT_EYE, RIGHT_EYE):
        mine = (weights[faces, joint] > 0.5).all(1)
        if mine.any():
            outward = neutral[faces[mine]].mean(1) - joints[joint]
            front = outward[:, 2] / np.linalg.norm(outward, axis=1).clip(1e-9) > 0.88
            parts[mine] = np.where(front, Part.IRIS, Part.EYE)
    return parts
