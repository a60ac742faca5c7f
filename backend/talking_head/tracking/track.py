"""Follows one face through a video: found once by the detector, then from frame to frame by its own
mesh.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Pixels
from ...media.decoding import Damage, decode, open_video, probe
from ...media.video import upright
from ...protocol import InputError
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .detector import FULL_RANGE, SHORT_RANGE, Face, FaceDetector
from .face_mesh import COUNT, LEFT_CORNER, RIGHT_CORNER, FaceLandmarks, FaceMesh, Points, aperture
from .tflite_network import TfliteNetwork
from .weights import FULL_RANGE_FILE, MESH_FILE, SHORT_RANGE_FILE


@dataclass(frozen=True, kw_only=True)
class FaceTrackConfig:
    """When a face is there, and when it has to be searched for."""

    score: float = 0.5  # of the mesh
    max_side: int = 1280  # of the pictures that are looked at
    settle: int = 2  # looks at the first frame, until the region fits
    search: int = 5  # frames between searches where there is no face
    count: int = 25  # frames between counts of the faces that are there
    least: float = 0.3  # share of the frames that must show the face


@dataclass(kw_only=True)
class FaceTrack:
    """A face in T frames."""

    points: NDArray[np.float32]  # (T, 478, 3) pixels; NaN where it was not seen
    scores: NDArray[np.float32]  # (T,) 0..1
    times: NDArray[np.float64]  # (T,) seconds
    width: int
    height: int
    faces: int  # most faces that were seen at once
    damage: Damage = field(default_factory=Damage)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(T,) whether the face was seen."""
        return np.isfinite(self.points[:, 0, 0])

    @property
    def turned(self) -> NDArray[np.float32]:
        """(T,) degrees to the side, told from the depth of the eyes' corners; beyond 45 the far
        half is guessed.
        """
        across = self.points[:, RIGHT_CORNER] - self.points[:, LEFT_CORNER]
        return np.asarray(np.abs(np.degrees(np.arctan2(across[:, 2], across[:, 0]))), np.float32)

    @property
    def aperture(self) -> NDArray[np.float32]:
        """(T,) opening of the lips, in shares of the eyes' distance."""
        return aperture(self.points)


@dataclass(frozen=True)
class FollowedFace:
    """What was found in one picture, and how many faces were seen, where they were counted."""

    landmarks: FaceLandmarks | None
    faces: int


class FaceTracker:
    """The three networks of a folder (weights.py)."""

    def __init__(self, folder: Path, config: FaceTrackConfig = FaceTrackConfig()) -> None:
        self.config = config
        self.mesh = FaceMesh(TfliteNetwork(folder / MESH_FILE))
        self.detectors = [
            FaceDetector(TfliteNetwork(folder / FULL_RANGE_FILE), FULL_RANGE),
            FaceDetector(TfliteNetwork(folder / SHORT_RANGE_FILE), SHORT_RANGE),
        ]

    def faces(self, image: Pixels) -> list[Face]:
        """The surest first; none where neither detector sees one."""
        return next((faces for detector in self.detectors if (faces := detector(image))), [])

    def find(self, image: Pixels, face: Face) -> FaceLandmarks:
        """The mesh of a detected face."""
        landmarks = self.mesh(image, face.region())
        for _ in range(self.config.settle - 1):
            landmarks = self.mesh(image, landmarks.region())
        return landmarks

    def follow(
        self,
        images: Iterator[Pixels],
        progress: Callable[[int], None] = lambda step: None,
        keeper: StageKeeper = KEEP_NOTHING,
    ) -> tuple[list[FaceLandmarks | None], int]:
        """What is found in each picture, None where there is no face; and the most faces that were
        seen at once.
        """
        with keeper.rows("faces", FollowedFace) as rows:
            missed, last, begun = 0, None, len(rows.values)
            for number, image in enumerate(images):
                if number < begun:
                    row = rows.values[number]
                else:
                    progress(number)
                    row = rows.add(self._followed(image, number, missed, last))
                missed, last = (0, row.landmarks) if row.landmarks else (missed + 1, last)
        return [row.landmarks for row in rows.values], max(
            (row.faces for row in rows.values), default=0
        )

    def _followed(
        self, image: Pixels, number: int, missed: int, last: FaceLandmarks | None
    ) -> FollowedFace:
        landmarks = self._sure(self.mesh(image, last.region())) if last and not missed else None
        lost = landmarks is None and missed % self.config.search == 0
        faces = self.faces(image) if lost or number % self.config.count == 0 else []
        if lost:
            landmarks = self._sure(self.find(image, _chosen(faces, last))) if faces else None
        return FollowedFace(landmarks, len(faces))

    def _sure(self, landmarks: FaceLandmarks) -> FaceLandmarks | None:
        return (
            landmarks
            if landmarks.score > self.config.score and np.isfinite(landmarks.points).all()
            else None
        )


def _chosen(faces: list[Face], last: FaceLandmarks | None) -> Face:
    """The largest face; or the one nearest to where the last was, which a glance away or a hand had
    hidden.
    """
    if last is None:
        return max(faces, key=lambda face: face.area)
    center = last.points[:, :2].mean(0)
    return min(
        faces, key=lambda face: float(np.linalg.norm((face.box[:2] + face.box[2:]) / 2 - center))
    )


def track_video(
    path: Path,
    tracker: FaceTracker,
    start: float = 0.0,
    end: float = 0.0,
    progress: Callable[[int, int], None] = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> FaceTrack:
    """The largest face of a video's seconds `start` to `end` (0: all). InputError where no face can
    be followed.
    """
    info = probe(path)
    damage, times, sizes = Damage(since=start), list[float](), list[tuple[int, int]]()

    def images() -> Iterator[Pixels]:
        with open_video(path) as container:
            for time, frame in decode(container, path, damage):
                if time < start - 1e-6:
                    continue
                if end and time > end + 1e-6:
                    return
                pixels = upright(frame, container.streams.video[0], tracker.config.max_side)
                times.append(time)
                sizes.append((pixels.shape[1], pixels.shape[0]))
                if sizes[-1] == sizes[0]:
                    yield pixels
                else:  # another shot; its pixels can't be told in the first one's
                    damage.resized = damage.resized or time
                    times.pop()

    expected = round(((end or info.duration) - start) * info.fps)
    rows, most = tracker.follow(
        images(), lambda step: progress(step, max(expected, step + 1)), keeper
    )
    if not rows:
        raise InputError(
            f"{path.name} has no frame between {start:g} and {end:g} s.",
            f"The video is {info.duration:.1f} s long.",
        )
    _demand_a_face(path, rows, tracker.config)
    nothing: Points = np.full((COUNT, 3), np.nan, np.float32)
    points = np.stack([row.points if row else nothing for row in rows])
    scores = np.array([row.score if row else 0.0 for row in rows], np.float32)
    return FaceTrack(
        points=points,
        scores=scores,
        times=np.array(times),
        width=sizes[0][0],
        height=sizes[0][1],
        faces=most,
        damage=damage,
    )


def _demand_a_face(path: Path, rows: list[FaceLandmarks | None], config: FaceTrackConfig) -> None:
    seen = sum(row is not None for row in rows)
    if not seen:
        raise InputError(
            f"No face can be seen in {path.name}.",
            "Choose footage of one person who faces the camera, well lit.",
        )
    if seen < config.least * len(rows):
        raise InputError(
            f"The face is lost in {len(rows) - seen} of {len(rows)} frames of {path.name}.",
            "Choose a part in which the person faces the camera.",
        )
