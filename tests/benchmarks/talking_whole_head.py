"""A head from the side. Of talk_french50 and sadtalker_aoc: the contiguous last fifth, and
the frames turned furthest, each held out of a training of its own; views from 0, 30, 60 and 90
degrees, where the head must have no holes and nothing of the background.

"Motion by its other pixels" is the mouth with its motion fitted to pixels that are not scored
(talking_refit.py): what the head could do if the tracker were right.

CLIP=french or aoc for one, SPLIT=last or turned for one training, PRESET=fast for a quick look.
Constants were chosen on talk_french50 and on rendered heads (tests/talking_head/whole_head).
"""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from backend.gaussians.losses import psnr
from backend.talking_head.face_job import head_config
from backend.talking_head.face_verb import PRESETS
from backend.talking_head.fitting.fit import fit_rig
from backend.talking_head.fitting.head_motion import HeadMotion
from backend.talking_head.gaussian_head.learn import LearnedHead, learn_head
from backend.talking_head.gaussian_head.training import render
from backend.talking_head.gaussian_head.training_views import SeenFrame, head_triangles
from backend.talking_head.head_job import read_rig
from backend.talking_head.rigs.correspondence import find_correspondence
from backend.talking_head.rigs.drawing import PortraitCamera, portrait, see
from backend.talking_head.talk_job import camera
from backend.talking_head.tracking.face_mesh import OUTER_LIPS, OVAL
from backend.talking_head.tracking.track import FaceTrack, FaceTrackConfig, FaceTracker, track_video
from backend.talking_head.whole_head.assembly import footage
from tests.benchmarks.head_colors import Palette, palette
from tests.benchmarks.table import Row, Table, has
from tests.benchmarks.talking_refit import refitted

CLIPS = {
    "french": "talking/talk_french50/french.mp4",
    "aoc": "talking/sadtalker_aoc/WDA_AlexandriaOcasioCortez_000.mp4",
}
SHARE, JUDGED, TURNED = 0.8, 12, 0.1  # the last fifth; frames judged; share that is turned furthest
YAWS, SIDE, HEIGHT = (0, 30, -30, 60, -60, 90, -90), 320, 34.0
SOLID = 0.98


@dataclass(frozen=True)
class Filmed:
    """A clip as it was tracked."""

    path: Path
    track: FaceTrack
    motion: HeadMotion


def run(table: Table) -> None:
    """Both clips, by ICT's head."""
    weights, model = has("weights/mediapipe_face"), has("models/ict_facekit")
    if weights is None or model is None:
        return
    rig, tracker = read_rig(str(model)), FaceTracker(weights)
    where = find_correspondence(rig, tracker)
    preset = os.environ.get("PRESET", "balanced")
    config = head_config(next(row for name, row in PRESETS.items() if name == preset))
    for name in os.environ.get("CLIP", ",".join(CLIPS)).split(","):
        path = has(CLIPS[name])
        if path is None:
            continue
        track = track_video(path, tracker)
        filmed = Filmed(path, track, fit_rig(track, rig, where))
        for split, (learn, judged) in _splits(filmed.motion).items():
            if not split.startswith(os.environ.get("SPLIT", "")):
                continue
            some = learn[np.unique(np.linspace(0, len(learn) - 1, config.frames).astype(int))]
            start = time.process_time()
            learned = learn_head(
                path, rig, filmed.motion, some, judged, FaceTrackConfig().max_side, config
            )
            cpu = time.process_time() - start
            _quality(f"{name}, {split}", learned, filmed, cpu, table)
            if split == "last fifth":
                _around(name, learned, filmed, some, table)


def _splits(motion: HeadMotion) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Frames to learn from, and to be judged by."""
    count = len(motion.times)
    cut = int(SHARE * count)
    last = np.unique(np.linspace(cut, count - 1, JUDGED).astype(int))
    eye = -np.einsum("tji,tj->ti", motion.rotations, motion.translations)
    yaw = np.arctan2(eye[:, 0], eye[:, 2])
    order = np.argsort(np.abs(yaw - np.median(yaw)))
    kept, turned = np.split(order, [int((1 - TURNED) * count)])
    some = np.sort(turned)[np.unique(np.linspace(0, len(turned) - 1, JUDGED).astype(int))]
    return {"last fifth": (np.arange(cut), last), "turned furthest": (np.sort(kept), some)}


def _quality(case: str, learned: LearnedHead, filmed: Filmed, cpu: float, table: Table) -> None:
    """By tracked coefficients and poses of frames that were not learned from."""
    coefficients = torch.from_numpy(learned.whole.motion.coefficients)
    masks: list[dict[int, torch.Tensor]] = []
    for what, numbers in (("the face's oval", OVAL), ("the mouth", OUTER_LIPS)):
        pairs = []
        masks.append({})
        for frame in learned.held_out:
            inside = masks[-1][frame.number] = _inside(frame, filmed, list(numbers))
            look = learned.look(frame, coefficients[frame.number])
            pairs.append((look[inside], frame.image[inside]))
        value = psnr(torch.cat([p[0] for p in pairs]), torch.cat([p[1] for p in pairs]))
        table.add(Row(case, f"PSNR in {what}", value, "dB", 0, cpu))
    tracked, fitted = refitted(learned, *masks)
    table.add(Row(case, "the mouth, some frames", tracked, "dB"))
    table.add(Row(case, "motion by its other pixels", fitted, "dB"))
    name = case.replace(", ", "_").replace(" ", "_")
    learned.sheet(coefficients, 4).save(table.scratch / f"whole_head_{name}.png")


def _inside(frame: SeenFrame, filmed: Filmed, numbers: list[int]) -> torch.Tensor:
    """(H, W) within what the tracker sees of some of its points."""
    K, motion = frame.K.numpy(), filmed.motion
    middle = np.array([motion.width / 2, motion.height / 2])
    scale = np.array([K[0, 0], K[1, 1]]) / motion.focal
    points = (filmed.track.points[frame.number][numbers, :2] - middle) * scale + K[:2, 2]
    mask = np.zeros(frame.size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.float32)).astype(np.int32), 1)
    return torch.from_numpy(mask > 0)


def side_view(learned: LearnedHead, yaw: float) -> PortraitCamera:
    """Of the resting head, so many degrees from the front."""
    middle = learned.whole.anatomy.centre - np.array([0, 2.5, 0])
    view = portrait(SIDE, np.radians(yaw), height=HEIGHT)
    return replace(view, translation=view.translation - view.rotation @ middle)


def _around(
    name: str, learned: LearnedHead, filmed: Filmed, numbers: np.ndarray, table: Table
) -> None:
    """Holes and the background's hue within the silhouette of the fitted head and hair."""
    whole, views = learned.whole, []
    colors = _palette(learned, filmed, numbers[:: max(1, len(numbers) // 20)])
    head = set(head_triangles(whole.rig, whole.motion.rest).tolist())
    scores: dict[int, list[tuple[float, float]]] = {}
    for yaw in YAWS:
        view = side_view(learned, yaw)
        pose, K, size = camera(view)
        with torch.no_grad():
            none = torch.zeros(len(whole.rig.names))
            drawn = render(learned.model, learned.mesh, none, pose, K, size)
        seen = see(whole.rig, whole.motion.rest, view)
        inside = np.zeros(SIDE * SIDE, bool)
        inside[seen.pixels[[t in head for t in seen.triangles.tolist()]]] = True
        inside = cv2.erode(inside.reshape(SIDE, SIDE).astype(np.uint8), np.ones((3, 3))) > 0
        alpha = drawn.alpha[0, ..., 0].numpy()
        over = drawn.image[0] + (1 - drawn.alpha[0]) * torch.tensor([0.0, 0.8, 0.0])
        picture = (over.clamp(0, 1) * 255).round().byte().numpy()
        views.append(picture)
        holes = float((alpha[inside] < SOLID).mean())
        scores.setdefault(abs(yaw), []).append((holes, colors.share(picture[inside])))
    for yaw, both in scores.items():
        holes, hue = np.mean(both, 0)
        table.add(Row(f"{name}, {yaw} degrees", "holes in the silhouette", 100 * holes, "%"))
        table.add(Row(f"{name}, {yaw} degrees", "nearer to the background's hue", 100 * hue, "%"))
    table.add(Row(f"{name}, footage", "the same of the filmed head", 100 * colors.floor, "%"))
    invented = float((learned.invented > 0.5).float().mean())
    table.add(Row(name, "invented Gaussians", 100 * invented, "%"))
    Image.fromarray(np.hstack(views)).save(table.scratch / f"whole_head_{name}_around.png")


def _palette(learned: LearnedHead, filmed: Filmed, numbers: np.ndarray) -> Palette:
    """Colours of the background and of the person's head in some frames, by the mattes."""
    whole, behind, person = learned.whole, [], []
    above = whole.anatomy.height(whole.motion.rest) > 0
    for number, pixels in footage(filmed.path, whole.motion, numbers, FaceTrackConfig().max_side):
        matte = whole.mattes[number]
        small = cv2.resize(pixels, matte.shape[::-1], interpolation=cv2.INTER_AREA)
        scale = matte.shape[1] / pixels.shape[1]
        posed = whole.motion.vertices(whole.rig, number)[above]
        points = whole.motion.view(number).project(posed)[:, :2] * scale
        hull = np.zeros(matte.shape, np.uint8)
        cv2.fillConvexPoly(hull, cv2.convexHull(points.astype(np.float32)).astype(np.int32), 1)
        behind.append(small[matte < 0.02])
        person.append(small[(matte > 0.98) & (hull > 0)])
    return palette(np.concatenate(behind), np.concatenate(person))
