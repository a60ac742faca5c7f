"""The files of the networks that see faces: in a folder that the user names; checked when they are
fetched.
"""

import hashlib
from pathlib import Path

from ...protocol import InputError

FULL_RANGE_FILE = "face_detection_full_range_sparse.tflite"
SHORT_RANGE_FILE = "face_detection_short_range.tflite"
MESH_FILE = "face_landmark_with_attention.tflite"
SHA256 = {  # of mediapipe 0.10.21, Apache-2.0
    FULL_RANGE_FILE: "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    SHORT_RANGE_FILE: "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    MESH_FILE: "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
}


def is_published(data: bytes, name: str) -> bool:
    """True for exactly the bytes that mediapipe publishes."""
    return hashlib.sha256(data).hexdigest() == SHA256[name]


def demand_weights(folder: Path) -> Path:
    """The folder, if all three files lie in it."""
    missing = [name for name in SHA256 if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} lacks {', '.join(missing)}.",
            "Press Get the Face Tracker, or choose the folder with mediapipe's files.",
        )
    return folder
