"""The Gaussian head before training: as many Gaussians on a triangle as it has pixels, in the
colours that were seen there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...geometry.spherical_harmonics import SH_C0, coefficient_count
from ..rigs.rig import Rig
from .binding import triangle_frames
from .model import SH_DEGREE, BoundGaussians, LatentPose
from .training_views import SeenFrame

UNSEEN = 0.35  # grey of what no frame shows


@dataclass(frozen=True)
class BeginConfig:
    """What Gaussians look like at first."""

    opacity: float = 0.9
    spread: float = 0.6  # standard deviation, as a share of the distance to the next Gaussian
    flat: float = 0.3  # thickness against that
    modes: int = 8  # blendshapes of the speaker's own


def seen_colors(rig: Rig, frames: list[SeenFrame]) -> Floats:
    """(V, 3) sRGB 0..1: the median over the frames of what was seen nearest to each vertex; grey
    where there is nothing.
    """
    rows = np.full((len(frames), len(rig.neutral), 3), np.nan, np.float32)
    for row, frame in zip(rows, frames, strict=True):
        corner = frame.seen.weights.argmax(1)
        vertices = rig.triangles[frame.seen.triangles, corner]
        row[vertices] = frame.image.reshape(-1, 3).numpy()[frame.seen.pixels]
    known = np.asarray(np.isfinite(rows[:, :, 0]).any(0))
    colors = np.full((len(rig.neutral), 3), UNSEEN, np.float32)
    colors[known] = np.nanmedian(rows[:, known], 0)
    return _filled(rig, colors, known)


def _filled(rig: Rig, colors: Floats, known: NDArray[np.bool_], rounds: int = 20) -> Floats:
    """Vertices between the pixels take the mean of their neighbours, round after round."""
    edges = np.concatenate([rig.triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    known = known.copy()
    for _ in range(rounds):
        useful = known[edges[:, 0]] & ~known[edges[:, 1]]
        back = known[edges[:, 1]] & ~known[edges[:, 0]]
        source = np.concatenate([edges[useful, 0], edges[back, 1]])
        target = np.concatenate([edges[useful, 1], edges[back, 0]])
        if not len(target):
            break
        count = np.bincount(target, minlength=len(known))[:, None]
        total = np.stack([np.bincount(target, colors[source, c], len(known)) for c in range(3)], 1)
        fresh = count[:, 0] > 0
        colors[fresh] = (total / np.maximum(count, 1))[fresh]
        known |= fresh
    return colors


def pixels_of_triangles(rig: Rig, frames: list[SeenFrame]) -> Floats:
    """(T,) the most that each triangle covered in one frame: a mouth's inside counts although it is
    rarely open.
    """
    counts = np.zeros(len(rig.triangles), np.float32)
    for frame in frames:
        np.maximum(counts, np.bincount(frame.seen.triangles, minlength=len(counts)), out=counts)
    return counts


def begin(
    rig: Rig, rest: Floats, frames: list[SeenFrame], count: int, config: BeginConfig, seed: int
) -> tuple[BoundGaussians, torch.Tensor]:
    """The first model, and the triangle (N,) of each Gaussian."""
    random = np.random.default_rng(seed)
    colors, pixels = seen_colors(rig, frames), pixels_of_triangles(rig, frames)
    shares = np.cumsum(pixels / pixels.sum())
    where = np.searchsorted(shares, (np.arange(count) + random.random()) / count).clip(
        0, len(shares) - 1
    )  # evenly, not by chance
    weights = random.dirichlet((1.0, 1.0, 1.0), count).astype(np.float32)
    corners = rig.triangles[where]
    places = (rest[corners] * weights[..., None]).sum(1)
    color = (colors[corners] * weights[..., None]).sum(1)
    frame = frames[len(frames) // 2]
    centimetres = float(frame.viewmat[2, 3] / frame.K[0, 0]) * np.sqrt(
        pixels.sum() / count
    )  # between neighbours
    return _model(rig, rest, where, places, color, centimetres, config, seed), torch.from_numpy(
        where
    )


def _model(
    rig: Rig,
    rest: Floats,
    where: np.ndarray,
    places: Floats,
    color: Floats,
    apart: float,
    config: BeginConfig,
    seed: int,
) -> BoundGaussians:
    frames = triangle_frames(torch.from_numpy(rest), torch.from_numpy(rig.triangles[where]).long())
    count = len(where)
    means = torch.einsum("nji,nj->ni", frames.rotations, torch.from_numpy(places) - frames.origins)
    scales = (
        torch.tensor([config.spread, config.spread * config.flat, config.spread]) * apart
    )  # the normal is the second axis
    sh = torch.zeros(count, coefficient_count(SH_DEGREE), 3)
    sh[:, 0] = (torch.from_numpy(color) - 0.5) / SH_C0
    quats = torch.tensor([1.0, 0, 0, 0]).repeat(count, 1)
    generator = torch.Generator().manual_seed(seed)
    latent = LatentPose(
        torch.randn(config.modes, len(rig.names), generator=generator) * 0.3,
        torch.zeros(config.modes),
    )
    nothing = torch.zeros(config.modes, count, 3)
    logit = float(np.log(config.opacity / (1 - config.opacity)))
    return BoundGaussians(
        means=means,
        quats=quats,
        log_scales=scales.log().repeat(count, 1),
        opacity_logits=torch.full((count,), logit),
        sh=sh,
        mean_shapes=nothing,
        color_shapes=nothing.clone(),
        latent=latent,
    )
