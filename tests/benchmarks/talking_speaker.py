"""A speaker's own decoder on footage: the first 80 % teaches, the last 20 % judges; and the
universal style on people never heard.

Aperture: how far the lips are apart in the tracker's picture, in eye distances; ours, on the head
as it was held. Amplitude: its deviation against the filmed, of curves within their bounds.
Closures: moments at which the filmed aperture is least within 40 ms and in its lowest SHUT; met
where ours is as low within 40 ms, by what the fitted curves show for such an aperture. Stillness:
how much less the lips move in pauses.

CLIP=french, grid or universal for one: the whole takes more than half an hour on two cores.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.formats.arkit import BLENDSHAPES
from backend.media.sound import read_sound
from backend.talking_head.face_speaker import opening
from backend.talking_head.fitting.fit import fit_rig
from backend.talking_head.fitting.head_motion import HeadMotion
from backend.talking_head.head_job import read_rig
from backend.talking_head.motion.face_motion import SPOKEN, resampled
from backend.talking_head.motion.matched_training import train_matched
from backend.talking_head.motion.motion_training import (
    MotionTrainingConfig,
    speak,
)
from backend.talking_head.motion.motion_translator import MotionTranslatorConfig
from backend.talking_head.motion.speech_clip import SpeechClip, still_face
from backend.talking_head.motion.universal import universal_mouth
from backend.talking_head.rigs.correspondence import Correspondence, find_correspondence
from backend.talking_head.rigs.rig import Rig
from backend.talking_head.speech.audio_features import BANDS, HUSH, shown_by_sound, speech_features
from backend.talking_head.speech.log_mel import FEATURE_RATE
from backend.talking_head.speech.viseme_encoder import load_encoder
from backend.talking_head.tracking.face_mesh import LEFT_CORNER, LOWER_LIP, RIGHT_CORNER, UPPER_LIP
from backend.talking_head.tracking.track import FaceTracker, track_video
from tests.benchmarks.table import Row, Table, has
from tests.benchmarks.talking_closure import OPENING

SHARE, LAGS = 0.8, range(-5, 6)
SHUT, NEAR = 0.15, 0.04  # of the usual range of the aperture; seconds
UNSEEN = (
    "sadtalker_aoc/WDA_AlexandriaOcasioCortez_000.mp4",
    "videoretalking_1_3/1.mp4",
    "videoretalking_1_3/3.mp4",
)


@dataclass
class Filmed:
    """A clip as the decoder takes it, with what the tracker saw of the lips."""

    clip: SpeechClip
    aperture: np.ndarray  # (T,)
    fitted: HeadMotion
    frames: np.ndarray  # (T,) of the fitted, nearest to the clip's

    def shown(self, spoken: np.ndarray, studio: "Studio") -> np.ndarray:
        """(T,) the aperture of a mouth (T, K), seen in the picture as the head was held."""
        coefficients = self.fitted.coefficients[self.frames]
        coefficients[:, studio.spoken] = spoken
        points = self.fitted.rest[studio.ends] + np.tensordot(coefficients, studio.moved, 1)
        turned = np.einsum("tij,tnj->tni", self.fitted.rotations[self.frames], points)
        seen = turned + self.fitted.translations[self.frames][:, None]
        flat = seen[..., :2] / seen[..., 2:]
        apart = np.linalg.norm(flat[:, ::2] - flat[:, 1::2], axis=-1)
        return np.asarray(apart[:, 0] / apart[:, 1])


class Studio:
    """The rig and the tracker, set up once."""

    def __init__(self, weights: Path, model: Path) -> None:
        self.tracker, self.rig = FaceTracker(weights), read_rig(str(model))
        self.where: Correspondence = find_correspondence(self.rig, self.tracker)
        self.spoken = [k for k, name in enumerate(self.rig.names) if name.startswith(SPOKEN)]
        self.lips = opening(self.rig, self.where)[self.spoken]
        self.ends = self.where.vertices[[UPPER_LIP, LOWER_LIP, LEFT_CORNER, RIGHT_CORNER]]
        self.moved = self.rig.shapes[:, self.ends]

    def film(self, path: Path) -> Filmed:
        track = track_video(path, self.tracker)
        motion = fit_rig(track, self.rig, self.where)
        rate = float(1 / np.median(np.diff(track.times)))
        times = np.arange(int((track.times[-1] - track.times[0]) * rate)) / rate
        at = times + track.times[0]
        rows = np.stack(
            [
                np.interp(at, track.times, column)
                for column in motion.coefficients[:, self.spoken].T
            ],
            1,
        ).astype(np.float32)
        seen = track.seen
        aperture = np.interp(at, track.times[seen], track.aperture[seen])
        features = speech_features(read_sound(path), load_encoder())[
            round(track.times[0] * FEATURE_RATE) :
        ]
        frames = np.interp(at, track.times, np.arange(len(track.times))).round().astype(int)
        return Filmed(SpeechClip(features, rows, rate), aperture, motion, frames)


def run(table: Table) -> None:
    weights, model = has("weights/mediapipe_face"), has("models/ict_facekit")
    if weights is None or model is None:
        return
    studio = Studio(weights, model)
    wanted = os.environ.get("CLIP", "french,grid,universal").split(",")
    french = has("talking/talk_french50") if "french" in wanted else None
    grid = has("talking/grid_s1_32") if "grid" in wanted else None
    if french is not None:
        whole = studio.film(french / "french.mp4")
        cut = int(SHARE * len(whole.aperture))
        _judge("talk_french50, last fifth", studio, [_part(whole, 0, cut)], [(whole, cut)], table)
        _universal("talk_french50, universal", studio.rig, [whole], table)
    if grid is not None:
        clips = [studio.film(path) for path in sorted((grid / "s1").glob("*.mpg"))]
        cut = int(SHARE * len(clips))
        _judge(
            "GRID s1, last fifth", studio, clips[:cut], [(clip, 0) for clip in clips[cut:]], table
        )
        _universal("GRID s1, universal", studio.rig, clips, table)
    for name in UNSEEN if "universal" in wanted else ():
        path = has(f"talking/{name}")
        if path is not None:
            _universal(f"{path.stem[:12]}, universal", studio.rig, [studio.film(path)], table)


def _part(filmed: Filmed, first: int, last: int) -> Filmed:
    clip = filmed.clip
    rows = clip.features[
        int(first / clip.rate * FEATURE_RATE) : int(last / clip.rate * FEATURE_RATE)
    ]
    return Filmed(
        SpeechClip(rows, clip.motion[first:last], clip.rate),
        filmed.aperture[first:last],
        filmed.fitted,
        filmed.frames[first:last],
    )


def _judge(
    case: str,
    studio: Studio,
    teaching: list[Filmed],
    judged: list[tuple[Filmed, int]],
    table: Table,
) -> None:
    start = time.process_time()
    clips = [f.clip for f in teaching]
    config = MotionTranslatorConfig(coefficients=len(studio.spoken))
    model = train_matched(
        clips, config, MotionTrainingConfig(), still_face(clips, studio.lips), studio.lips
    )
    cpu = time.process_time() - start
    lowest = studio.rig.lowest[studio.spoken]
    found, truth, quiet, shown = [], [], [], []
    for filmed, first in judged:
        clip = filmed.clip
        times = np.arange(len(clip.motion)) / clip.rate
        mouth = resampled(
            speak(model, clip.features).clip(lowest, 1),
            np.arange(len(clip.features)) / FEATURE_RATE,
            times,
        )
        found.append(filmed.shown(mouth, studio)[first:])
        shown.append(filmed.shown(clip.motion, studio)[first:])
        truth.append(filmed.aperture[first:])
        quiet.append(_pauses(clip.features, times)[first:])
    _report(case, found, truth, quiet, cpu, table)
    _size_and_pace(case, found, truth, judged[0][0].clip.rate, shown, table)


def _size_and_pace(
    case: str,
    found: list[np.ndarray],
    truth: list[np.ndarray],
    rate: float,
    shown: list[np.ndarray],
    table: Table,
) -> None:
    """Amplitude and jitter as they are, and filmed closures that are met."""
    whole, filmed = np.concatenate(found), np.concatenate(truth)
    pace = [np.abs(np.concatenate([np.diff(v, 2) for v in of])).mean() for of in (found, truth)]
    low, high = np.quantile(filmed, [0.02, 0.95])
    level = low + SHUT * (high - low)
    ours = np.quantile(np.concatenate(shown), (filmed <= level).mean())
    near, met, count = max(1, round(NEAR * rate)), 0, 0
    for f, t in zip(found, truth, strict=True):
        for at in range(1, len(t) - 1):
            around = slice(max(0, at - near), at + near + 1)
            if t[at] <= level and t[at] == t[around].min():
                met, count = met + bool((f[around] <= ours).any()), count + 1
    for metric, value, unit in (
        ("amplitude against filmed", whole.std() / filmed.std(), ""),
        ("jitter as it is", pace[0] / pace[1], ""),
        ("filmed closures met", 100 * met / max(count, 1), "%"),
        ("lips shut, ours", 100 * (whole <= ours).mean(), "%"),
        ("lips shut, filmed", 100 * (filmed <= level).mean(), "%"),
    ):
        table.add(Row(case, metric, float(value), unit))


def _universal(case: str, rig: Rig, filmed: list[Filmed], table: Table) -> None:
    """The style that suits all, on a face that nothing was learned from."""
    found, truth, quiet = [], [], []
    for each in filmed:
        features, times = each.clip.features, np.arange(len(each.clip.motion)) / each.clip.rate
        gap = _gap(universal_mouth(shown_by_sound(features), features[:, :BANDS]))
        found.append(np.interp(times * FEATURE_RATE, np.arange(len(gap)), gap))
        truth.append(each.aperture)
        quiet.append(_pauses(features, times))
    _report(case, found, truth, quiet, 0.0, table)


def _gap(coefficients: np.ndarray) -> np.ndarray:
    return np.asarray(
        sum(weight * coefficients[:, BLENDSHAPES.index(name)] for name, weight in OPENING.items())
    )


def _pauses(features: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T,) True where nobody has spoken for a tenth of a second, nor will."""
    loud = features[:, :BANDS].max(1)
    silent = loud < max(HUSH, np.quantile(loud, 0.95) - 7)
    held = np.convolve(silent, np.ones(21), "same") >= 21
    return held[(times * FEATURE_RATE).astype(int).clip(0, len(held) - 1)]


def _report(
    case: str,
    found: list[np.ndarray],
    truth: list[np.ndarray],
    quiet: list[np.ndarray],
    cpu: float,
    table: Table,
) -> None:
    r = {lag: _correlation(found, truth, lag) for lag in LAGS}
    jitter = sum(np.abs(np.diff(f, 2)).sum() / _size(found) for f in found) / sum(
        np.abs(np.diff(t, 2)).sum() / _size(truth) for t in truth
    )
    rows = [("aperture correlation", r[0], ""), ("best lag", float(max(r, key=lambda lag: r[lag])),
        "frames"),
            ("jitter against truth", jitter, "")]  # fmt: skip
    for name, values in (("pauses' motion, ours", found), ("pauses' motion, filmed", truth)):
        steps = np.concatenate([np.abs(np.diff(v)) for v in values])
        still = np.concatenate([q[1:] for q in quiet])
        if still.sum() > 10:
            rows.append((name, steps[still].mean() / steps[~still].mean(), "of speech"))
    for metric, value, unit in rows:
        table.add(Row(case, metric, float(value), unit, 0, cpu))


def _size(values: list[np.ndarray]) -> float:
    return float(np.concatenate(values).std())


def _correlation(found: list[np.ndarray], truth: list[np.ndarray], lag: int) -> float:
    """With ours that much later than the picture."""
    pairs = [
        (f[max(lag, 0) : len(f) + min(lag, 0)], t[max(-lag, 0) : len(t) - max(lag, 0)])
        for f, t in zip(found, truth, strict=True)
    ]
    return float(
        np.corrcoef(np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs]))[
            0, 1
        ]
    )
