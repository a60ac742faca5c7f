"""A capture's pictures as a Movie Clip with its tracks as markers: for those who go on matchmoving
in Blender.
"""

from pathlib import Path

import bpy
import numpy as np

from ....backend.formats import tracks_file
from ....backend.formats.capture import Capture
from ....backend.protocol import InputError
from .lens import SENSOR

MOST_TRACKS = 150  # more make the clip editor slow


def make(capture: Capture, name: str) -> bpy.types.MovieClip:
    """The clip, frame 1 first, lens set, with at most MOST_TRACKS tracks."""
    path = capture.root / tracks_file.NAME
    if not path.is_file():
        raise InputError(
            "The capture has no tracks.",
            "Solve the cameras from footage; imported ones bring none.",
        )
    rows = tracks_file.read(path)
    first = capture.frames[0]
    clip = bpy.data.movieclips.load(str(Path(first.image)))
    clip.name = f"{name} Tracks"
    clip.frame_start = 1
    lens = clip.tracking.camera
    lens.sensor_width, lens.units = SENSOR, "MILLIMETERS"
    lens.focal_length = first.fl_x / first.width * SENSOR
    for number in np.unique(rows[:, 1])[:MOST_TRACKS]:
        _add_track(clip, f"Track {int(number) + 1:03d}", rows[rows[:, 1] == number])
    return clip


def _add_track(clip: bpy.types.MovieClip, name: str, rows: np.ndarray) -> None:
    """Rows (frame, track, x, y) of one track, in the order of time; it is off where it was not
    seen.
    """
    track = clip.tracking.tracks.new(name=name, frame=int(rows[0, 0]))
    last = int(rows[0, 0]) - 1
    for frame, _, x, y in rows:
        if int(frame) > last + 1 and last >= int(rows[0, 0]):
            track.markers.insert_frame(last + 1).mute = True
        marker = track.markers.insert_frame(int(frame), co=(float(x), 1 - float(y)))
        marker.mute = False
        last = int(frame)
    track.markers.insert_frame(
        last + 1, co=(float(rows[-1, 2]), 1 - float(rows[-1, 3]))
    ).mute = True
