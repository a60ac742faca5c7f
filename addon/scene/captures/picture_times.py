"""Where the pictures of a capture lie on the scene's timeline: as far apart as they were taken."""

from dataclasses import dataclass

import bpy
import numpy as np

from ....backend.formats import footage_times
from ....backend.formats.capture import Capture
from ....backend.geometry.arrays import Doubles
from ..meshes import timeline

PICTURES_KEY = "splatsmith_pictures"  # on the root: the frame of each picture
RATE_KEY = "splatsmith_rate"  # on the root: frames a second of these frames; 0: not known


@dataclass(frozen=True)
class PictureTimes:
    """(N,) frames of the pictures, and frames a second; 0 where nothing tells the pictures' times:
    they then lie one a frame.
    """

    frames: Doubles
    fps: float

    def gaps(self) -> list[tuple[float, float]]:
        """Frames between which no picture is, for far longer than elsewhere."""
        frames = np.unique(self.frames)
        steps = np.diff(frames)
        if not self.fps or not len(steps):
            return []
        wide = steps > max(4 * float(np.median(steps)), 0.25 * self.fps)
        return [
            (float(a), float(b)) for a, b in zip(frames[:-1][wide], frames[1:][wide], strict=True)
        ]


def of(capture: Capture) -> PictureTimes:
    """As the capture tells: by its pictures' times, if no two are of one moment."""
    count = len(capture.frames)
    seconds = footage_times.seconds_of([frame.time for frame in capture.frames], capture.fps)
    plain = PictureTimes(np.arange(1, count + 1, dtype=np.float64), 0.0)
    if seconds is None or count < 2 or len(np.unique(seconds)) < count:
        return plain
    fps = footage_times.frame_rate(seconds, capture.fps)
    if not fps or float(np.ptp(seconds)) * fps > footage_times.LONGEST:
        return plain
    return PictureTimes(timeline.frames_at(seconds, fps), fps)


def remember(root: bpy.types.Object, times: PictureTimes) -> None:
    """Writes down on a capture's root where its pictures lie."""
    root[PICTURES_KEY] = [float(frame) for frame in times.frames]
    root[RATE_KEY] = times.fps


def rate_of(root: bpy.types.Object | None, scene: bpy.types.Scene) -> float:
    """Frames a second that what belongs to a capture is laid by: its own, else the scene's."""
    own = float(root.get(RATE_KEY, 0.0)) if root is not None else 0.0
    return own or timeline.rate(scene)


def tell_rate(scene: bpy.types.Scene, root: bpy.types.Object | None, fps: float) -> None:
    """Has a capture whose pictures have no times play `fps` pictures a second, one a frame."""
    if fps and root is not None and PICTURES_KEY in root and not root.get(RATE_KEY):
        root[RATE_KEY] = fps
        timeline.set_rate(scene, fps)


def frames_of(root: bpy.types.Object, count: int) -> Doubles:
    """(N,) frames of a capture's `count` pictures; one a frame in files of older versions."""
    frames = np.array(root.get(PICTURES_KEY, []), np.float64)
    return frames if len(frames) == count else np.arange(1, count + 1, dtype=np.float64)


def index_at(frames: Doubles, frame: float) -> int | None:
    """Which of the pictures at frames (N,) is shown at a frame: the last one before it; None
    outside of the footage.
    """
    before = np.flatnonzero(frames <= frame + 0.5)
    if not len(before) or frame > frames.max() + 0.5:
        return None
    return int(before[frames[before].argmax()])


def picture_at(root: bpy.types.Object | None, capture: Capture, frame: float) -> int | None:
    """Which picture of a capture is shown at a frame: in the scene; without a root, by itself."""
    count = len(capture.frames)
    return index_at(frames_of(root, count) if root is not None else of(capture).frames, frame)


def last_frame(root: bpy.types.Object | None) -> float:
    """Of the footage that an object hangs from; 0 where it hangs from none."""
    frames = root.get(PICTURES_KEY) if root is not None else None
    return max(frames, default=0.0) if frames is not None else 0.0


def describe_gaps(times: PictureTimes) -> str:
    """What the artist has to know of them; empty where there are none."""
    gaps = times.gaps()
    if not gaps:
        return ""
    first, last = gaps[0]
    more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return (
        f"no picture between frames {first:.0f} and {last:.0f}{more}: the camera glides through "
        f"there"
    )
