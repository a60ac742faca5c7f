"""The verb `face`: a filmed face becomes motion, a head of its own, and a speaker that can say
other things.
"""

from pathlib import Path

import numpy as np
import torch

from ..formats import gaussian_head_file
from ..geometry.arrays import Floats
from ..media.sound import RATE, Samples, read_sound
from ..networks.onnx_model import OnnxModel, for_networks
from ..networks.segmenter import Segmenter, load_segmenter
from ..protocol import InputError
from ..runtime import network
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from .face_verb import PRESETS, FaceOptions, FacePreset
from .fitting.fit import fit_rig
from .fitting.head_motion import HeadMotion
from .gaussian_head import files
from .gaussian_head.learn import INVENTED, LearnConfig, chosen_frames, learn_head
from .gaussian_head.training import HeadTrainingConfig
from .head_job import read_rig, write_head
from .motion import face_motion, poses
from .motion.face_motion import SPOKEN, resampled
from .motion.matched_training import train_matched
from .motion.motion_output import frame_times
from .motion.motion_training import MotionTrainingConfig, SpeechClip, still_face
from .motion.motion_translator import MotionTranslatorConfig
from .motion.speaker_file import NAME as SPEAKER, save_speaker
from .rigs.correspondence import Correspondence, find_correspondence
from .rigs.rig import Rig
from .speech.audio_features import BANDS, HUSH, speech_features
from .speech.log_mel import FEATURE_RATE
from .speech.pretrained import load_pretrained
from .speech.viseme_encoder import load_encoder
from .speech.voice_activity import load_voice_model, sounds_like_speech
from .tracking.face_mesh import LOWER_LIP, UPPER_LIP
from .tracking.fetch import fetch_weights
from .tracking.track import FaceTrack, FaceTrackConfig, FaceTracker, track_video
from .tracking.weights import SHA256, demand_weights

SIDEWAYS = 45.0  # degrees


def run(job: Job[FaceOptions]) -> Outcome:
    """Leaves motion.npz, live_link.csv, curves.png, head.npz, poses.npz, speaker.safetensors where
    the video has speech, and gaussian_head.npz with heldout.png, the footage beside the head in
    frames that it has not seen.
    """
    options, path = job.options, Path(job.request.input)
    rig = read_rig(options.rig)
    device = for_networks(job.request.device, job.device)
    tracker, pretrained = (
        FaceTracker(_weights(job, options)),
        load_pretrained(options.sound_model, device),
    )
    matting = load_segmenter(Path(options.matting), device) if options.matting else None
    job.stage("Following the face", 1, 6)
    keeper = StageKeeper(job)
    track = keeper.stage(
        "track",
        FaceTrack,
        lambda: track_video(path, tracker, options.start, options.end, job.progress, keeper),
    )
    _tell(job, track)
    job.stage("Getting to know the face model", 2, 6)
    where = keeper.stage(
        "correspondence",
        Correspondence,
        lambda: find_correspondence(
            rig, tracker, progress=lambda share: job.progress(int(100 * share), 100)
        ),
    )
    job.stage("Fitting the face", 3, 6)
    motion = keeper.stage(
        "motion",
        HeadMotion,
        lambda: fit_rig(
            track,
            rig,
            where,
            progress=lambda share: job.progress(int(100 * share), 100),
            keeper=keeper,
        ),
    )
    write_head(job.folder.staging, rig, motion.rest)
    poses.save(job.folder.staging / poses.NAME, motion, path)
    job.stage("Learning how this person speaks", 4, 6)
    taught = options.teach and _teach(job, path, motion, opening(rig, where), pretrained)
    quality = _gaussians(job, path, rig, motion, track, matting)
    job.stage("Writing", 6, 6)
    keys, tolerance = face_motion.write(
        job.folder.staging, path, motion, options.fps, options.smoothing, options.tolerance
    )
    learned = ", and how this person speaks" if taught else ""
    metrics = {
        "frames": float(len(motion.times)),
        "seen": float(track.seen.mean()),
        "residual": motion.residual,
        "keys": float(keys),
        "tolerance": tolerance,
    }
    return Outcome(
        f"{len(motion.times)} frames{learned}; points are met to {100 * motion.residual:.1f} % of "
        f"the eyes' distance",
        metrics | quality,
    )


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


def _tell(job: Job[FaceOptions], track: FaceTrack) -> None:
    if track.faces > 1:
        job.warn("FACES", f"{track.faces} faces were seen; the largest is followed.")
    if not track.seen.all():
        job.warn(
            "LOST",
            f"The face is hidden or turned away in {int((~track.seen).sum())} of {len(track.seen)} "
            f"frames.",
        )
    if aside := int((track.turned > SIDEWAYS).sum()):
        job.warn(
            "TURNED",
            f"The face is turned far to the side in {aside} of {len(track.seen)} frames, where it "
            f"is followed less closely.",
        )
    if track.damage.resized:
        job.warn(
            "RESIZED",
            f"The picture changes its size at {track.damage.resized:.1f} s; what has another size "
            f"is passed over.",
        )
    if track.damage.frames:
        job.warn("DAMAGE", f"{track.damage.frames} frames of the video can't be decoded.")


def opening(rig: Rig, where: Correspondence) -> Floats:
    """(K,) centimetres by which each shape takes the lips apart, in their middle."""
    upper, lower = (rig.shapes[:, where.vertices[point], 1] for point in (UPPER_LIP, LOWER_LIP))
    return np.asarray(upper - lower, np.float32)


def _teach(
    job: Job[FaceOptions],
    path: Path,
    motion: HeadMotion,
    lips: Floats,
    pretrained: OnnxModel | None,
) -> bool:
    """Trains the speaker's decoder. False, with a word, where the video has too little speech."""
    spoken = [k for k, name in enumerate(motion.names) if name.startswith(SPOKEN)]
    rate = 30.0
    times = frame_times(motion.times[-1] - motion.times[0], rate)[:-1] + motion.times[0]
    try:
        samples = read_sound(path, job.options.channel)
        sounds = speech_features(samples, load_encoder(), pretrained)
        begin, end = float(motion.times[0]), float(motion.times[-1])
        features = sounds[round(begin * FEATURE_RATE) : round(end * FEATURE_RATE) + 1]
        heard = samples[round(begin * RATE) : round(end * RATE) + 1]
        demand_speech(job.options, path, features, heard)
        clip = SpeechClip(
            features, resampled(motion.coefficients[:, spoken], motion.times, times), rate
        )
        config = MotionTranslatorConfig(channels=features.shape[1], coefficients=len(spoken))
        steps = PRESETS[job.request.preset].speech_steps
        training = MotionTrainingConfig(steps=steps, seed=job.request.seed)
        model = train_matched(
            [clip],
            config,
            training,
            still_face(clip, lips[spoken]),
            lips[spoken],
            progress=lambda share: job.progress(int(steps * share), steps),
            keeper=StageKeeper(job),
        )
    except InputError as error:
        read = "The face's motion is read all the same."
        job.warn("NO_SPEAKER", " ".join(part for part in (error.what, read, error.advice) if part))
        return False
    save_speaker(model, [motion.names[k] for k in spoken], job.folder.staging / SPEAKER)
    return True


def demand_speech(options: FaceOptions, path: Path, features: Floats, samples: Samples) -> None:
    """InputError where the part of the video that is read holds no sound, or none that sounds like
    speech and was not said to be.
    """
    if not len(features) or features[:, :BANDS].max() < HUSH:
        raise InputError(f"No speech is heard in {path.name}.", "Its sound is silent there.")
    voice = load_voice_model(options.voice_model)
    if not options.assume_speech and not sounds_like_speech(samples, voice):
        raise InputError(
            f"No speech is heard in {path.name}.",
            "If there is some, give --assume-speech (Treat as Speech).",
        )


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
    path: Path,
    rig: Rig,
    motion: HeadMotion,
    track: FaceTrack,
    matting: Segmenter | None,
) -> dict[str, float]:
    """Trains the photoreal head, and says how well it does on frames kept back."""
    config = head_config(PRESETS[job.request.preset], job.options.gaussians)
    if not config.gaussians:
        return {}
    job.stage("Painting the head with Gaussians", 5, 6)
    numbers, kept = chosen_frames(track.seen, config.frames, config.held_out)
    learned = learn_head(
        path,
        rig,
        motion,
        numbers,
        kept,
        FaceTrackConfig().max_side,
        config,
        job.request.seed,
        job.device,
        lambda share: job.progress(int(1000 * share), 1000),
        StageKeeper(job),
        matting,
    )
    whole = learned.whole
    write_head(job.folder.staging, whole.rig, whole.motion.rest)
    poses.save(job.folder.staging / poses.NAME, whole.motion, path)
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
