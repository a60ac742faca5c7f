"""The Gaussian head of talk_french50: quality on its last fifth, speed, and how long a 30-second
clip takes from end to end.
"""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from backend.gaussians.losses import psnr
from backend.talking_head.face_job import head_config
from backend.talking_head.face_verb import PRESETS
from backend.talking_head.fitting.fit import fit_rig
from backend.talking_head.fitting.head_motion import HeadMotion
from backend.talking_head.gaussian_head.learn import LearnedHead, learn_head
from backend.talking_head.gaussian_head.model import BoundGaussians, LatentPose, bound_mesh, place
from backend.talking_head.gaussian_head.training import HeadTrainingConfig, render
from backend.talking_head.gaussian_head.training_views import SeenFrame
from backend.talking_head.head_job import read_rig
from backend.talking_head.rigs.correspondence import find_correspondence
from backend.talking_head.tracking.face_mesh import OVAL
from backend.talking_head.tracking.track import FaceTrack, FaceTrackConfig, FaceTracker, track_video
from tests.benchmarks.table import ROOT, Row, Table, has

SHARE, JUDGED, MANY = 0.8, 12, 50_000


def run(table: Table) -> None:
    weights, model, clip = (
        has("weights/mediapipe_face"),
        has("models/ict_facekit"),
        has("talking/talk_french50/french.mp4"),
    )
    if weights is None or model is None or clip is None:
        return
    _end_to_end(clip, weights, model, table)
    rig, tracker = read_rig(str(model)), FaceTracker(weights)
    track = track_video(clip, tracker)
    motion = fit_rig(track, rig, find_correspondence(rig, tracker))
    cut = int(SHARE * len(motion.times))
    judged = np.unique(np.linspace(cut, len(motion.times) - 1, JUDGED).astype(int))
    for preset, row in PRESETS.items():
        if preset != "best":
            config = head_config(row)
            numbers = np.unique(np.linspace(0, cut - 1, config.frames).astype(int))
            start = time.process_time()
            learned = learn_head(
                clip, rig, motion, numbers, judged, FaceTrackConfig().max_side, config
            )
            _quality(
                f"talk_french50, {preset}",
                learned,
                motion,
                track,
                time.process_time() - start,
                table,
            )
    few = replace(head_config(PRESETS["balanced"]), training=HeadTrainingConfig(steps=0))
    baked = learn_head(
        clip, rig, motion, np.arange(0, cut, 20), judged, FaceTrackConfig().max_side, few
    )
    _quality("talk_french50, untrained", baked, motion, track, 0.0, table)
    _speed(learned, table)


def _end_to_end(clip: Path, weights: Path, model: Path, table: Table) -> None:
    """As a user starts it: motion, head, speaker and Gaussians of 30 seconds."""
    out = table.scratch / "face30"
    command = [
        sys.executable,
        "-m",
        "backend",
        "face",
        "--input",
        clip,
        "--end",
        "30",
        "--tracker",
        weights,
        "--rig",
        model,
        "--output",
        out,
    ]
    start = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, capture_output=True)
    wall = time.perf_counter() - start
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    cpu, peak = manifest["timings"]["cpu_seconds"], manifest["timings"]["peak_megabytes"]
    table.add(Row("30 s of footage, balanced", "from end to end", wall, "s", 0, cpu, peak))


def _quality(
    case: str, learned: LearnedHead, motion: HeadMotion, track: FaceTrack, cpu: float, table: Table
) -> None:
    """By the tracked coefficients and poses of frames that were not learned from, within the
    tracked oval, and the whole head.
    """
    coefficients = torch.from_numpy(learned.whole.motion.coefficients)
    faces = []
    for frame in learned.held_out:
        inside = _oval(frame, motion, track)
        faces.append((learned.look(frame, coefficients[frame.number])[inside], frame.image[inside]))
    value = psnr(torch.cat([f[0] for f in faces]), torch.cat([f[1] for f in faces]))
    table.add(Row(case, "PSNR in the face's oval", value, "dB", 0, cpu))
    table.add(Row(case, "PSNR in the head's outline", learned.quality(coefficients), "dB", 0, cpu))
    learned.sheet(coefficients, 4).save(table.scratch / f"{case.split(', ')[1]}.png")


def _oval(frame: SeenFrame, motion: HeadMotion, track: FaceTrack) -> torch.Tensor:
    """(H, W) within the outline that the tracker sees."""
    K = frame.K.numpy()
    middle, scale = (
        np.array([motion.width / 2, motion.height / 2]),
        np.array([K[0, 0], K[1, 1]]) / motion.focal,
    )
    points = (track.points[frame.number][list(OVAL), :2] - middle) * scale + K[:2, 2]
    mask = Image.new("1", frame.size)
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in points], fill=1)
    return torch.from_numpy(np.array(mask))


def _speed(learned: LearnedHead, table: Table) -> None:
    motion = learned.whole.motion
    shapes, triangles = learned.whole.rig.tensors()
    random = torch.Generator().manual_seed(0)
    rest, coefficients, model = (
        torch.from_numpy(motion.rest),
        torch.from_numpy(motion.coefficients),
        learned.model,
    )
    where = torch.randint(0, len(triangles), (MANY,), generator=random)
    which = torch.randint(0, len(model.means), (MANY,), generator=random)
    t = {
        name: values[which]
        for name, values in model.trained().items()
        if values.dim() and len(values) == len(model.means)
    }
    modes = {
        name: getattr(model, name)[:, which].contiguous()
        for name in ("mean_shapes", "color_shapes")
    }
    many = BoundGaussians(**t, **modes, latent=LatentPose(model.latent.weights, model.latent.bias))
    mesh, threads = bound_mesh(rest, shapes, triangles, where), torch.get_num_threads()
    with torch.inference_mode():
        torch.set_num_threads(1)
        place(many, mesh, coefficients[0])
        start = time.process_time()
        for k in range(30):
            place(many, mesh, coefficients[k])
        table.add(
            Row(
                "50,000 Gaussians",
                "rig and bind",
                (time.process_time() - start) / 30 * 1000,
                "CPU ms",
            )
        )
        torch.set_num_threads(threads)
        frame = learned.held_out[0]
        scale = 256 / max(frame.size)
        K, size = frame.K.clone(), (round(frame.size[0] * scale), round(frame.size[1] * scale))
        K[:2] *= scale
        start = time.perf_counter()
        for k in range(100):
            render(model, learned.mesh, coefficients[k], frame.viewmat, K, size)
        table.add(
            Row(
                f"{len(model.means):,} Gaussians, {max(size)} px",
                "preview",
                100 / (time.perf_counter() - start),
                "fps",
            )
        )
