"""478 points of a face in a picture, by mediapipe's face mesh with attention (Grishchenko et al.
2020): lips, lids, irises.

The networks' own numbering: 468 points of the mesh, then five of each iris.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...geometry.arrays import Pixels
from .region import Region
from .tflite_network import TfliteNetwork

MESH, IRIS = 468, 5
COUNT = MESH + 2 * IRIS
LEFT_CORNER, RIGHT_CORNER = 33, 263  # outer corners of the eyes, as seen in the picture
UPPER_LIP, LOWER_LIP = 13, 14  # the middle of the lips' inner rims
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136,
        # the outline of the face, which slides when the head turns
        172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
CHIN = (152, 148, 176, 149, 377, 400, 378, 175, 171, 396, 199, 208, 428)
INNER_LIPS = (
    78,
    95,
    88,
    178,
    87,
    14,
    317,
    402,
    318,
    324,
    308,
    191,
    80,
    81,
    82,
    13,
    312,
    311,
    310,
    415,
)
OUTER_LIPS = (
    61,
    146,
    91,
    181,
    84,
    17,
    314,
    405,
    321,
    375,
    291,
    185,
    40,
    39,
    37,
    0,
    267,
    269,
    270,
    409,
)
LIDS = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246,
        263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)  # fmt: skip
OUTER_LIPS_RING = (
    61,
    146,
    91,
    181,
    84,
    17,
    314,
    405,
    321,
    375,
    291,
    409,
    270,
    269,
    267,
    0,
    37,
    39,
    40,
    185,
)
BROWS = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
REFINED = ("output_lips", "output_left_eye", "output_right_eye")

Points = NDArray[
    np.float32
]  # (478, 3): x, y in pixels of the picture, z in the same unit, growing away from the camera


@dataclass(frozen=True)
class FaceLandmarks:
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
        closer = [
            o.options["subset_idxs"]
            for o in network.graph.operators
            if o.kind == "Landmarks2TransformMatrix"
        ]
        self._refined = dict(zip(REFINED, closer, strict=True))

    def __call__(self, image: Pixels, region: Region) -> FaceLandmarks:
        side = self.network.width
        square = torch.from_numpy(region.cut(image, side)).permute(2, 0, 1)[None].float() / 255
        tensors = self.network(square)
        rows = {name: values.reshape(-1).numpy() for name, values in tensors.items()}
        points = np.zeros((COUNT, 3), np.float32)
        points[:MESH] = rows["output_mesh_identity"].reshape(MESH, 3)
        for (
            name,
            numbers,
        ) in self._refined.items():  # the closer look knows x and y better, and nothing of z
            points[numbers, :2] = rows[name].reshape(-1, 2)
        for eye, (iris, numbers) in enumerate((("output_left_iris", 1), ("output_right_iris", 2))):
            start = MESH + eye * IRIS
            points[start : start + IRIS, :2] = rows[iris].reshape(-1, 2)
            points[start : start + IRIS, 2] = points[self._refined[REFINED[numbers]], 2].mean()
        matrix = region.matrix(side)
        points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] *= region.size / side
        return FaceLandmarks(points, float(torch.sigmoid(torch.tensor(rows["conv_faceflag"][0]))))


def aperture(points: Points) -> NDArray[np.float32]:
    """(…,) how far the lips are apart, in eye distances of each frame."""
    across = np.linalg.norm(points[..., LEFT_CORNER, :2] - points[..., RIGHT_CORNER, :2], axis=-1)
    return np.asarray(
        np.linalg.norm(points[..., UPPER_LIP, :2] - points[..., LOWER_LIP, :2], axis=-1) / across,
        np.float32,
    )
