"""Videos of rendered faces, and a tracker that knows where their points are: each frame tells its
number and its clip by the colour of a corner.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from helpers.talking_face import TalkingFace, talking_face

from backend.media.video_writer import VideoWriter
from backend.talking_head.rigs.correspondence import Correspondence
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.tracking.face_mesh import COUNT, FaceLandmarks
from backend.talking_head.tracking.region import Region
from backend.talking_head.tracking.track import FaceTrackConfig, FaceTracker

CORNER, STEP, SIZE = 16, 20, 128  # pixels, grey levels between two numbers, pixels a side
RIG = small_head()
# chosen as a correspondence would lie: the corners of the eyes are where the tracker's are
POINTS = np.random.default_rng(0).choice(np.flatnonzero(RIG.neutral[:, 2] > 3), COUNT)
WHERE = Correspondence(POINTS, np.zeros((COUNT, 3), np.float32), 0.0)


def filmed_face(
    path: Path, clip: int, frames: int, seed: int = 3, rate: float = 25.0, light: float = 1.0
) -> TalkingFace:
    """Writes one video; at most 12 frames, and clips 0 to 11. Equal seeds show one person."""
    face = talking_face(RIG, POINTS, 40, size=SIZE, seed=seed)
    face.colors = (face.colors * light).clip(0, 1).astype(np.float32)
    face.views = face.views[clip : clip + frames]  # fewer would leave the picture
    face.coefficients = face.coefficients[clip : clip + frames]
    writer = VideoWriter(path, rate, SIZE, SIZE)
    for number, image in enumerate(face.images()):
        marked = image.copy()
        marked[:CORNER, :CORNER] = STEP * number
        marked[:CORNER, -CORNER:] = STEP * clip
        writer.add(marked)
    writer.close()
    return face


def knowing_tracker(faces: dict[int, TalkingFace]) -> FaceTracker:
    """Of clips by their number."""

    def mesh(image: np.ndarray, region: Region) -> FaceLandmarks:
        number, clip = (
            round(float(part.mean()) / STEP)
            for part in (image[:CORNER, :CORNER], image[:CORNER, -CORNER:])
        )
        face = faces[clip]
        seen = face.views[number].project(face.vertices(number)[POINTS])
        return FaceLandmarks(np.pad(seen[:, :2], ((0, 0), (0, 1))).astype(np.float32), 0.9)

    tracker = FaceTracker.__new__(FaceTracker)
    tracker.config, tracker.mesh = FaceTrackConfig(), cast(Any, mesh)
    box = SimpleNamespace(
        region=lambda: Region(64, 64, 80, 0), area=1.0, box=np.array([0, 0, SIZE, SIZE * 1.0])
    )
    tracker.detectors = cast(Any, [lambda image: [box]])
    return tracker
