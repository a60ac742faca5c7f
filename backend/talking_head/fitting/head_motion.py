"""A person's face over time, in a rig's terms: what tracking gives and what a sound is translated
to.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ..rigs.drawing import PortraitCamera
from ..rigs.rig import Rig


@dataclass(kw_only=True)
class HeadMotion:
    """T moments. Rotation and translation carry the rig into camera axes (x right, y down, z away),
    in centimetres.
    """

    names: tuple[str, ...]  # K coefficients
    times: NDArray[np.float64]  # (T,) seconds
    coefficients: Floats  # (T, K)
    rotations: NDArray[np.float64]  # (T, 3, 3)
    translations: NDArray[np.float64]  # (T, 3)
    rest: Floats  # (V, 3) the person's face at rest, on the rig's mesh
    focal: float  # pixels
    width: int
    height: int
    residual: float  # mean distance of tracked points in the picture, in eye distances

    def view(self, frame: int) -> PortraitCamera:
        """The camera of one frame."""
        return PortraitCamera(
            rotation=self.rotations[frame],
            translation=self.translations[frame],
            focal=self.focal,
            width=self.width,
            height=self.height,
        )

    def vertices(self, rig: Rig, frame: int) -> Floats:
        """(V, 3) in the rig's axes."""
        return rig.posed(self.rest, self.coefficients[frame])
