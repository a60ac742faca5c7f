"""The tracker and the fit against rendered heads of which everything is known. HEADS: their seeds;
RIG=ict or small.
"""

import os
import time

import numpy as np
import torch
from helpers.talking_face import SPEECH, TalkingFace, talking_face

from backend.talking_head.fitting.fit import fit_rig
from backend.talking_head.fitting.head_motion import HeadMotion
from backend.talking_head.head_job import read_rig
from backend.talking_head.rigs.correspondence import Correspondence, find_correspondence
from backend.talking_head.rigs.rig import Rig
from backend.talking_head.tracking.track import FaceTrack, FaceTracker
from tests.benchmarks.table import Row, Table, has

HEADS = [int(s) for s in os.environ.get("HEADS", "0,1,2").split(",")]
FRAMES, RATE = 150, 25.0
INNER = slice(
    17, None
)  # of the 68 landmarks of ICT-FaceKit's list, all but the outline, which slides
LANDMARKS = (
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088,
    3443, 268, 493, 1914, 2044, 1401, 3615,
    4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537,
    1528, 1518, 1511, 3742, 3751, 3756, 3721,
    3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841, 5702, 5711,
    5533, 6216, 6207, 6470, 5517, 5966,
)  # fmt: skip
EYES, LIPS = (36, 45), (62, 66)


def run(table: Table) -> None:
    weights, model = has("weights/mediapipe_face"), has("models/ict_facekit")
    if weights is None or model is None:
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the bar is for one core
    tracker, rig = FaceTracker(weights), read_rig(str(model))
    start = time.process_time()
    where = find_correspondence(rig, tracker)
    table.add(Row("ICT", "correspondence", time.process_time() - start, "CPU s"))
    for seed in HEADS:
        _one(rig, where, tracker, seed, table)
    torch.set_num_threads(threads)


def _one(rig: Rig, where: Correspondence, tracker: FaceTracker, seed: int, table: Table) -> None:
    face = talking_face(rig, where.vertices, FRAMES, seed=seed)
    images = list(face.images())
    start = time.process_time()
    rows, _ = tracker.follow(iter(images))
    tracking = time.process_time() - start
    view = face.views[0]
    points = np.stack([row.points for row in rows])
    track = FaceTrack(
        points=points,
        scores=np.ones(FRAMES, np.float32),
        times=np.arange(FRAMES) / RATE,
        width=view.width,
        height=view.height,
        faces=1,
    )
    start = time.process_time()
    motion = fit_rig(track, rig, where)
    fitting = time.process_time() - start
    truth, found = _landmarks(face, rig), _fitted(motion, rig)
    unit = np.linalg.norm(truth[:, EYES[0]] - truth[:, EYES[1]], axis=1).mean()
    off = 100 * np.linalg.norm(truth - found, axis=2) / unit
    raw = (
        np.stack([face.projected(t)[where.vertices[:468]] for t in range(FRAMES)])
        - points[:, :468, :2]
    )
    gaps = [np.linalg.norm(p[:, LIPS[0]] - p[:, LIPS[1]], axis=1) for p in (truth, found)]
    error = np.abs(motion.coefficients - face.coefficients)
    spoken = [rig.names.index(name) for name in SPEECH if name in rig.names]
    blinks = [
        np.corrcoef(
            c[:, rig.names.index("eyeBlinkLeft")],
            face.coefficients[:, rig.names.index("eyeBlinkLeft")],
        )[0, 1]
        for c in (motion.coefficients,)
    ]
    case = f"rendered ICT head {seed}"
    for metric, value, unit_name in (
        ("51 inner landmarks", off[:, INNER].mean(), "% eyes"),
        ("all 68 landmarks", off.mean(), "% eyes"),
        ("the tracker's own points", 100 * np.linalg.norm(raw, axis=2).mean() / unit, "% eyes"),
        ("aperture correlation", np.corrcoef(*gaps)[0, 1], ""),
        ("blink correlation", blinks[0], ""),
        ("coefficients' mean error", error.mean(), ""),
        ("speaking ones' mean error", error[:, spoken].mean(), ""),
        ("tracked on one core", FRAMES / tracking, "fps"),
        ("tracked and fitted", FRAMES / (tracking + fitting), "fps"),
    ):
        table.add(Row(case, metric, float(value), unit_name, seed, tracking + fitting))


def _landmarks(face: TalkingFace, rig: Rig) -> np.ndarray:
    """(T, 68, 2)"""
    return np.stack([face.projected(t)[list(LANDMARKS)] for t in range(FRAMES)])


def _fitted(motion: HeadMotion, rig: Rig) -> np.ndarray:
    return np.stack(
        [
            motion.view(t).project(motion.vertices(rig, t)[list(LANDMARKS)])[:, :2]
            for t in range(FRAMES)
        ]
    )
