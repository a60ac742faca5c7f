"""A rendered face that talks and looks about: a video's pictures with everything known of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from backend.talking_head.rigs.drawing import PortraitCamera, draw, portrait
from backend.talking_head.rigs.painting import Paint, painted
from backend.talking_head.rigs.rig import Part, Rig

# how often and how far: speech moves jaw and lips all the time, brows and lids now and then
SPEECH = {"jawOpen": 0.35, "mouthFunnel": 0.4, "mouthPucker": 0.5, "mouthSmileLeft": 0.3,
    "mouthSmileRight": 0.3, "mouthLowerDownLeft": 0.5,
          "mouthLowerDownRight": 0.5, "mouthUpperUpLeft": 0.4, "mouthUpperUpRight": 0.4,
          "mouthStretchLeft": 0.3, "mouthStretchRight": 0.3,
          "browInnerUp": 0.5, "browDownLeft": 0.4, "browDownRight": 0.4}  # fmt: skip
GAZE = {
    "eyeLookUpLeft": ("eyeLookUpRight",),
    "eyeLookDownLeft": ("eyeLookDownRight",),
    "eyeLookInLeft": ("eyeLookOutRight",),
}


@dataclass
class TalkingFace:
    """T frames of a person at `rate` frames a second."""

    rig: Rig
    rest: np.ndarray  # (V, 3)
    coefficients: np.ndarray  # (T, K)
    views: list[PortraitCamera]
    colors: np.ndarray  # (V, 3)

    def vertices(self, frame: int) -> np.ndarray:
        return self.rig.posed(self.rest, self.coefficients[frame])

    def projected(self, frame: int) -> np.ndarray:
        """(V, 2) pixels"""
        return self.views[frame].project(self.vertices(frame))[:, :2]

    def images(self) -> Iterator[np.ndarray]:
        for frame, view in enumerate(self.views):
            yield draw(self.rig, self.vertices(frame), view, self.colors)


def talking_face(
    rig: Rig, points: np.ndarray, frames: int, size: int = 384, seed: int = 0, rate: float = 25.0
) -> TalkingFace:
    random = np.random.default_rng(seed)

    def wander(pace: float, count: int = 1) -> np.ndarray:
        """(T, count) smooth noise of deviation one, with `pace` seconds between turns."""
        noise = gaussian_filter1d(random.normal(size=(frames + 100, count)), pace * rate, axis=0)[
            50:-50
        ]
        return noise / np.maximum(noise.std(0), 1e-9)

    coefficients = np.zeros((frames, len(rig.names)), np.float32)
    for name, far in SPEECH.items():
        if name in rig.names:
            coefficients[:, rig.names.index(name)] = (
                far * (0.35 + 0.45 * wander(0.12)[:, 0])
            ).clip(0, 1)
    for name, others in GAZE.items():
        look = (0.5 * wander(0.4)[:, 0]).clip(0, 0.8)
        for each in (name, *others):
            coefficients[:, rig.names.index(each)] = look
    for blink in range(int(random.integers(10, 40)), frames, 60):
        shape = np.exp(-(((np.arange(frames) - blink) / 2.5) ** 2))
        for side in ("Left", "Right"):
            column = rig.names.index(f"eyeBlink{side}")
            coefficients[:, column] = np.maximum(coefficients[:, column], shape)
    rest = rig.person((random.normal(size=len(rig.identities)) * 0.8).astype(np.float32))
    yaw, pitch, roll = (wander(0.8, 3) * [0.18, 0.1, 0.07]).T
    shift = wander(1.0, 3) * [0.8, 0.5, 1.5]
    views = []
    for frame in range(frames):
        view = portrait(size, yaw[frame], pitch[frame], roll[frame], distance=65.0, height=32.0)
        views.append(
            PortraitCamera(
                rotation=view.rotation,
                translation=view.translation + shift[frame],
                focal=view.focal,
                width=size,
                height=size,
            )
        )
    return TalkingFace(rig, rest, coefficients, views, _skin(rig, points, rest, random))


def _skin(
    rig: Rig, points: np.ndarray, rest: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """(V, 3): a person's own tones, blotched."""
    tone = np.array([0.8, 0.6, 0.5]) * random.uniform(0.6, 1.15)
    lips, brows, iris = (
        tone * [0.85, 0.6, 0.65],
        tone * random.uniform(0.2, 0.5),
        random.uniform(0.1, 0.5, 3),
    )
    colors = painted(
        rig, points, Paint(skin=tuple(tone), lips=tuple(lips), brows=tuple(brows), iris=tuple(iris))
    )
    blotches = np.sin(rest @ random.normal(size=(3, 6)) + random.uniform(0, 6, 6)).sum(
        1, keepdims=True
    )
    return (
        np.where((rig.vertex_parts == Part.SKIN)[:, None], colors * (1 + 0.02 * blotches), colors)
        .clip(0, 1)
        .astype(np.float32)
    )
