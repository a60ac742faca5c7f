"""Clips with exact truth: how a camera may move, and what may go wrong on the way. Rendered once,
kept under out/bench.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from helpers import ray_world
from helpers.ray_world import Box, Sphere, World, look_at

from tests.benchmarks.camera_ways import Path3, dolly, forward, full, line, orbit, pan, still, walk

SIZE = (320, 240)
NORMAL = 290.0  # pixels: 58 degrees wide
Expected = Literal["solved", "rotation", "refused"]


@dataclass(frozen=True)
class ClipConfig:
    """`truth`: what an honest solver can say. `shot`: the frames (from, to) that truth is compared
    on.
    """

    path: Path3
    frames: int = 40
    focal: tuple[float, float] = (NORMAL, NORMAL)  # at the beginning, at the end
    truth: Expected = "solved"
    shake: float = 1.0
    plain: bool = False
    moving: Callable[[float], tuple] = field(default=lambda share: ())
    blur: float = 0.0  # shutter as a share of the frame's time
    rolling: float = 0.0  # read-out as a share of the frame's time
    exposure: float = 0.0  # stops, there and back
    size: tuple[int, int] = SIZE
    every: int = 1  # frames kept of the path's
    cut: bool = False  # the second half shows another place


def _people(share: float) -> tuple:
    """Two things that cross the picture: about an eighth of its pixels."""
    return (
        Box((-3.0 + 4 * share, -2.0, 0), (-2.3 + 4 * share, -1.6, 1.5), 12),
        Sphere((2.4 - 3 * share, -2.2 + share, 0.6 + 0.3 * math.sin(9 * share)), 0.45, 13),
    )


def _crowd(share: float) -> tuple:
    """About a quarter of the pixels."""
    return (
        *_people(share),
        Box((2.0 - 4.2 * share, -2.9, 0), (2.7 - 4.2 * share, -2.5, 1.8), 13),
        Box((-1.6 + 2.5 * share, -2.6, 0.0), (-1.0 + 2.5 * share, -2.3, 1.2), 12),
        Sphere((1.4, 2.2 - 3.5 * share, 1.4 + 0.4 * math.cos(8 * share)), 0.6, 12),
    )


CLIPS: dict[str, ClipConfig] = {
    "orbit": ClipConfig(orbit(100)),
    "full loop": ClipConfig(full, frames=72),
    "small dolly": ClipConfig(dolly, frames=24),
    "forward dolly": ClipConfig(forward, frames=30),
    "backward dolly": ClipConfig(lambda t, j: forward(1 - t, j), frames=40),
    "tripod pan": ClipConfig(pan(0.7), truth="rotation", shake=0.1),
    "wide tripod pan": ClipConfig(pan(1.6, (0.5, -3.0, 1.5)), truth="rotation", shake=0.3),
    "wide field of view": ClipConfig(orbit(80), focal=(105.0, 105.0)),
    "tele": ClipConfig(orbit(40, -110, 5.0), focal=(800.0, 800.0)),
    "handheld jitter": ClipConfig(orbit(60, -120), shake=5.0),
    "every fifth frame": ClipConfig(orbit(100), frames=60, every=5),
    "texture-poor room": ClipConfig(orbit(90), plain=True),
    "moving eighth": ClipConfig(orbit(70, -125), moving=_people),
    "moving quarter": ClipConfig(orbit(70, -125), moving=_crowd),
    "zoom while moving": ClipConfig(orbit(80), focal=(240.0, 420.0)),
    "tripod zoom": ClipConfig(pan(0.5), focal=(240.0, 480.0), truth="rotation", shake=0.1),
    "motion blur": ClipConfig(orbit(100), blur=0.6),
    "rolling shutter": ClipConfig(orbit(70), rolling=0.5),
    "exposure drift": ClipConfig(orbit(100), exposure=1.2),
    "cut in the middle": ClipConfig(orbit(90), cut=True),
    "still": ClipConfig(still, truth="refused", shake=0.0),
    "sideways track": ClipConfig(line((-2.5, -5.0, 1.5), (2.5, -5.0, 1.7))),
    "crane": ClipConfig(line((1.5, -5.0, 0.6), (0.5, -4.2, 4.0), (0, 0, 0.8))),
    "walk": ClipConfig(walk),
    "portrait": ClipConfig(orbit(80, -120), size=(240, 320)),
}


@dataclass(frozen=True)
class Clip:
    """A rendered clip: frames[i] was seen by camera_to_world[i] (OpenGL) with focals[i] pixels."""

    name: str
    config: ClipConfig
    video: Path
    seed: int
    camera_to_world: np.ndarray
    focals: np.ndarray

    def depth(self, frame: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """(H, W) true depth, of the picture scaled to `size`."""
        width, height = size or self.config.size
        world = _world(self.name, self.seed).at(frame / max(len(self.focals) - 1, 1))
        return ray_world.depth(
            world,
            self.camera_to_world[frame],
            self.focals[frame] * width / self.config.size[0],
            (width, height),
        )

    def moving(self, frame: int) -> np.ndarray:
        """(H, W) whether something that moves is seen there."""
        plain = _world(self.name, self.seed)
        return np.asarray(
            self.depth(frame)
            != ray_world.depth(
                plain, self.camera_to_world[frame], self.focals[frame], self.config.size
            )
        )


@lru_cache(maxsize=1)
def _world(name: str, seed: int) -> World:
    """Textures are large: one world at a time."""
    return ray_world.make_room(seed, CLIPS[name].plain, CLIPS[name].moving)


def _jitter(frames: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(1000 + seed)
    window = np.ones(7) / 7
    return (
        np.stack(
            [np.convolve(random.normal(size=frames + 6), window, "valid") for _ in range(3)], 1
        )
        * 0.05
    )


def _poses(config: ClipConfig, seed: int) -> np.ndarray:
    jitter = _jitter(config.frames, seed) * config.shake
    return np.stack(
        [
            look_at(*config.path(i / max(config.frames - 1, 1), jitter[i]))
            for i in range(config.frames)
        ]
    )


def _render(
    config: ClipConfig,
    world: World,
    poses: np.ndarray,
    focals: np.ndarray,
    index: int,
    random: np.random.Generator,
) -> np.ndarray:
    share = index / max(len(poses) - 1, 1)
    here, before, after = (
        poses[index],
        poses[max(index - 1, 0)],
        poses[min(index + 1, len(poses) - 1)],
    )
    focal, seen = float(focals[index]), world.at(share)
    if config.rolling:
        step = (after - before) / 2 * config.rolling / 2
        image = ray_world.render_image(seen, here - step, focal, config.size, here + step)
    elif config.blur:
        step = (after - before) / 2 * config.blur
        image = (
            np.sum(
                [
                    ray_world.render_image(seen, _rigid(here + step * s), focal, config.size)
                    for s in np.linspace(-0.5, 0.5, 7)
                ],
                axis=0,
            )
            / 7
        )
    else:
        image = ray_world.render_image(seen, here, focal, config.size)
    image = (
        image
        * 2 ** (config.exposure * math.sin(2 * math.pi * share))
        * (0.7 if config.exposure else 1.0)
    )
    image = image + random.normal(size=image.shape) * 0.008
    return np.clip(image * 255, 0, 255).astype(np.uint8)


def _rigid(pose: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(pose[:3, :3])
    out = pose.copy()
    out[:3, :3] = u @ vt
    return out


def make(name: str, seed: int, folder: Path) -> Clip:
    """The clip as a lossless video under `folder`, rendered if it is not there yet."""
    config = CLIPS[name]
    poses = _poses(config, seed)
    focals = np.geomspace(*config.focal, config.frames)
    keep = range(0, config.frames, config.every)
    video = folder / f"{name.replace(' ', '-')}-{seed}.mkv"
    half = config.frames // 2
    if config.cut:  # the second half sees the other end of the room, from another place
        poses[half:] = [
            look_at(np.array([-3.0 + 0.1 * i, 2.0, 1.5]), np.array([-2.0 + 0.1 * i, -6.0, 2.0]))
            for i in range(config.frames - half)
        ]
    if not video.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        random, world = np.random.default_rng(seed), _world(name, seed)
        images = [_render(config, world, poses, focals, i, random) for i in keep]
        _write_lossless(video, images)
        (folder / f"{video.stem}.json").write_text(
            json.dumps({"focals": focals.tolist(), "camera_to_world": poses.tolist()})
        )
    return Clip(name, config, video, seed, poses[keep], focals[keep])


def _write_lossless(path: Path, images: list[np.ndarray]) -> None:
    import av

    part = path.with_suffix(".part.mkv")
    with av.open(str(part), "w") as container:
        stream = container.add_stream("ffv1", rate=12)
        stream.height, stream.width, stream.pix_fmt = *images[0].shape[:2], "bgr0"
        for picture in images:
            container.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(
                        np.ascontiguousarray(picture), format="rgb24"
                    ).reformat(format="bgr0")
                )
            )
        container.mux(stream.encode(None))
    part.rename(path)
