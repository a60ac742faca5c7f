"""The verb `face`: a filmed face becomes motion, a head of its own, and a speaker that can say
other things.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ..formats import gaussian_head_file
from ..networks.onnx_model import for_networks
from ..networks.segmenter import Segmenter, load_segmenter
from ..protocol import InputError
from ..runtime import network
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from . import face_clips
from .face_clips import FaceClip
from .face_speaker import opening, teach
from .face_verb import PRESETS, FaceOptions, FacePreset
from .fitting.fit import fit_clips
from .fitting.head_motion import HeadMotion
from .gaussian_head import files
from .gaussian_head.learn import INVENTED, LearnConfig, OtherClip, learn_head, shared_frames
from .gaussian_head.training import HeadTrainingConfig
from .head_job import read_rig, write_head
from .motion import face_motion, poses
from .rigs.correspondence import Correspondence, find_correspondence
from .rigs.rig import Rig
from .rigs.teeth import behind_lips
from .speech.pretrained import load_pretrained
from .tracking.fetch import fetch_weights
from .tracking.track import FaceTrackConfig, FaceTracker
from .tracking.weights import SHA256, demand_weights

LONGEST_NAME = 80  # letters of a video's, in a folder's; Windows takes no space or dot at its end
LOOKED_AT = 40  # poses of the face in which teeth must lie behind lips, beside the common ones


def run(job: Job[FaceOptions]) -> Outcome:
    """Leaves motion.npz, live_link.csv, curves.png, head.npz, poses.npz, speaker.safetensors where
    the video has speech, and gaussian_head.npz with heldout.png, the footage beside the head in
    frames that it has not seen. Of several videos the first one's motion; the others' lie in
    folders of their own.
    """
    options = job.options
    rig = read_rig(options.rig)
    device = for_networks(job.request.device, job.device)
    clips = face_clips.named(job)
    tracker, pretrained = (
        FaceTracker(_weights(job, options)),
        load_pretrained(options.sound_model, device),
    )
    matting = load_segmenter(Path(options.matting), device) if options.matting else None
    job.stage("Following the face", 1, 6)
    keeper = StageKeeper(job)
    face_clips.follow(job, clips, tracker, keeper)
    job.stage("Getting to know the face model", 2, 6)
    where = keeper.stage(
        "correspondence",
        Correspondence,
        lambda: find_correspondence(
            rig, tracker, progress=lambda share: job.progress(int(100 * share), 100)
        ),
    )
    job.stage("Fitting the face", 3, 6)
    face_clips.leave_out_strangers(job, clips, rig, where)
    used = face_clips.used(clips)
    motions = keeper.stage(
        "motion",
        list[HeadMotion],
        lambda: fit_clips(
            [clip.shown for clip in used],
            rig,
            where,
            progress=lambda share: job.progress(int(100 * share), 100),
            keeper=keeper,
        ),
    )
    rig, motions, set_back = _teeth_behind_lips(rig, motions)
    motion = motions[0]
    write_head(job.folder.staging, rig, motion.rest)
    poses.save(job.folder.staging / poses.NAME, motion, used[0].path)
    job.stage("Learning how this person speaks", 4, 6)
    taught = options.teach and teach(job, used, motions, opening(rig, where), pretrained)
    quality = _gaussians(job, used, rig, motions, matting)
    job.stage("Writing", 6, 6)
    keys, tolerance = _write(job, used, motions)
    learned = ", and how this person speaks" if taught else ""
    metrics = {
        "frames": float(sum(len(m.times) for m in motions)),
        "seen": float(np.concatenate([clip.shown.seen for clip in used]).mean()),
        "residual": _residual(motions),
        "keys": float(keys),
        "tolerance": tolerance,
        "videos": float(len(used)),
        "videos_left_out": float(len(clips) - len(used)),
        "poses_with_teeth_set_back": float(set_back),
        "speech_seconds": sum(clip.seconds for clip in used),
    }
    return Outcome(
        f"{face_clips.counted(clips, motions)}{learned}; points are met to "
        f"{100 * _residual(motions):.1f} % of the eyes' distance",
        metrics | quality,
        {"videos": [clip.record() for clip in clips]},
    )


def _teeth_behind_lips(rig: Rig, motions: list[HeadMotion]) -> tuple[Rig, list[HeadMotion], int]:
    """In what mouths commonly do, and in poses of every motion; in how many they were seen."""
    each = max(1, LOOKED_AT // len(motions))
    poses = [
        motion.coefficients[number]
        for motion in motions
        for number in np.linspace(0, len(motion.times) - 1, each).astype(int)
    ]
    rig, rest, count = behind_lips(rig, motions[0].rest, poses)
    return rig, [replace(motion, rest=rest) for motion in motions], count


def _residual(motions: list[HeadMotion]) -> float:
    """Of all frames."""
    lengths = [len(motion.times) for motion in motions]
    return float(np.average([motion.residual for motion in motions], weights=lengths))


def _write(
    job: Job[FaceOptions], clips: list[FaceClip], motions: list[HeadMotion]
) -> tuple[int, float]:
    """The motion of every clip, those behind the first in folders that are called by their number
    and video. How many keys the first one took, and its tolerance.
    """
    options, told = job.options, (0, 0.0)
    for number, (clip, motion) in enumerate(zip(clips, motions, strict=True), 1):
        folder = job.folder.staging
        if number > 1:
            folder = folder / f"{number:02d}_{clip.path.stem[:LONGEST_NAME]}".rstrip(" .")
            folder.mkdir(exist_ok=True)
            poses.save(folder / poses.NAME, motion, clip.path)
        made = face_motion.write(
            folder, clip.path, motion, options.fps, options.smoothing, options.tolerance
        )
        told = made if number == 1 else told
    return told


def _weights(job: Job[FaceOptions], options: FaceOptions) -> Path:
    if not options.tracker:
        raise InputError(
            "No folder for the face tracker was named.",
            "Give one with --tracker; with --agree its files are fetched.",
        )
    folder = Path(options.tracker)
    if options.agree and not all((folder / name).is_file() for name in SHA256):
        network.demand("Fetching the face tracker")
        job.stage("Fetching the face tracker", 1, 6)
        fetch_weights(folder)
    return demand_weights(folder)


def head_config(row: FacePreset, gaussians: int = -1) -> LearnConfig:
    """What a preset means for the Gaussian head; `gaussians` below 0: as many as it says."""
    return LearnConfig(
        gaussians=gaussians if gaussians >= 0 else row.gaussians,
        side=row.side,
        frames=row.frames,
        training=HeadTrainingConfig(steps=row.head_steps),
    )


def _gaussians(
    job: Job[FaceOptions],
    clips: list[FaceClip],
    rig: Rig,
    motions: list[HeadMotion],
    matting: Segmenter | None,
) -> dict[str, float]:
    """Trains the photoreal head, and says how well it does on frames kept back."""
    config = head_config(PRESETS[job.request.preset], job.options.gaussians)
    if not config.gaussians:
        return {}
    job.stage("Painting the head with Gaussians", 5, 6)
    seen = [clip.shown.seen for clip in clips]
    numbers, kept = shared_frames(seen, config.frames, config.held_out)
    learned = learn_head(
        clips[0].path,
        rig,
        motions[0],
        numbers[0],
        kept,
        FaceTrackConfig().max_side,
        config,
        job.request.seed,
        job.device,
        lambda share: job.progress(int(1000 * share), 1000),
        StageKeeper(job),
        matting,
        [
            OtherClip(path=clip.path, motion=motion, numbers=some)
            for clip, motion, some in zip(clips[1:], motions[1:], numbers[1:], strict=True)
        ],
    )
    whole = learned.whole
    write_head(job.folder.staging, whole.rig, whole.motion.rest)
    poses.save(job.folder.staging / poses.NAME, whole.motion, clips[0].path)
    files.save(job.folder.staging / gaussian_head_file.NAME, learned)
    least, most = whole.yaw_range.tolist()
    told = {
        "gaussians": float(config.gaussians),
        "invented": float((learned.invented > INVENTED).float().mean()),
        "yaw_from": least,
        "yaw_to": most,
    }
    if not learned.held_out:
        return told
    coefficients = torch.from_numpy(whole.motion.coefficients)
    learned.sheet(coefficients).save(job.folder.staging / "heldout.png")
    job.preview(job.folder.staging / "heldout.png")
    return told | {"psnr": learned.quality(coefficients)}
