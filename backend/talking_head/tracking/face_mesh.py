"""478 points of a face in a picture, by mediapipe's face mesh with attention (Grishchenko et al. 2020): lips, lids, irises.

The networks' own numbering: 468 points of the mesh, then five of each iris.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...media.frames import Pixels
from .region import Region
from .tflite_network import TfliteNetwork

MESH, IRIS = 468, 5
COUNT = MESH + 2 * IRIS
LEFT_CORNER, RIGHT_CORNER = 33, 263  # outer corners of the eyes, as seen in the picture
UPPER_LIP, LOWER_LIP = 13, 14  # the middle of the lips' inner rims
MOUTH_LEFT, MOUTH_RIGHT = 61, 291
REFINED = ("output_lips", "output_left_eye", "output_right_eye")

Points = NDArray[np.float32]  # (478, 3): x, y in pixels of the picture, z in the same unit, growing away from the camera


@dataclass(frozen=True)
class Found:
    """A face in one picture; `score` 0..1 says how sure it is that there is one."""

    points: Points
    score: float

    def region(self) -> Region:
        """Where to look in the next frame."""
        return Region.around(self.points[:MESH, :2], LEFT_CORNER, RIGHT_CORNER)


class FaceMesh:
    """Looks at a region of a picture (H, W, 3) RGB that holds a face."""

    def __init__(self, network: TfliteNetwork) -> None:
        self.network = network
        closer = [o.options["subset_idxs"] for o in network.graph.operators if o.kind == "Landmarks2TransformMatrix"]
        self._refined = dict(zip(REFINED, closer, strict=True))

    def __call__(self, picture: Pixels, region: Region) -> Found:
        side = self.network.width
        square = torch.from_numpy(region.cut(picture, side)).permute(2, 0, 1)[None].float() / 255
        found = self.network(square)
        rows = {name: values.reshape(-1).numpy() for name, values in found.items()}
        points = np.zeros((COUNT, 3), np.float32)
        points[:MESH] = rows["output_mesh_identity"].reshape(MESH, 3)
        for name, numbers in self._refined.items():  # the closer look knows x and y better, and nothing of z
            points[numbers, :2] = rows[name].reshape(-1, 2)
        for eye, (iris, numbers) in enumerate((("output_left_iris", 1), ("output_right_iris", 2))):
            start = MESH + eye * IRIS
            points[start : start + IRIS, :2] = rows[iris].reshape(-1, 2)
            points[start : start + IRIS, 2] = points[self._refined[REFINED[numbers]], 2].mean()
        matrix = region.matrix(side)
        points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] *= region.size / side
        return Found(points, float(torch.sigmoid(torch.tensor(rows["conv_faceflag"][0]))))


def eye_distance(points: Points) -> float:
    """Between the eyes' outer corners (…, 478, 3), pixels: the unit in which errors are told."""
    return float(np.linalg.norm(points[..., LEFT_CORNER, :2] - points[..., RIGHT_CORNER, :2], axis=-1).mean())


def aperture(points: Points) -> NDArray[np.float32]:
    """(…,) how far the lips are apart, in eye distances of each frame."""
    across = np.linalg.norm(points[..., LEFT_CORNER, :2] - points[..., RIGHT_CORNER, :2], axis=-1)
    return np.asarray(np.linalg.norm(points[..., UPPER_LIP, :2] - points[..., LOWER_LIP, :2], axis=-1) / across, np.float32)
