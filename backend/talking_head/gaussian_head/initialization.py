"""The Gaussian head before training: as many Gaussians on a triangle as it has pixels, in the
colours that were seen there, and a cover of larger ones on what no frame shows.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ...geometry.arrays import Floats, Reals
from ...geometry.spherical_harmonics import SH_C0, coefficient_count
from ..rigs.drawing import normals
from ..rigs.rig import Part
from ..whole_head.assembly import WholeHead
from ..whole_head.paint import FACING, PaintedSurface, painted, regions
from .binding import triangle_frames
from .model import SH_DEGREE, BoundGaussians, LatentPose
from .training_views import SURE, SeenFrame

FINE = 0.7  # power of a triangle's area that its share of the cover grows with


@dataclass(frozen=True, kw_only=True)
class BeginConfig:
    """What Gaussians look like at first."""

    opacity: float = 0.9
    spread: float = 0.6  # standard deviation, as a share of the distance to the next Gaussian
    flat: float = 0.3  # thickness against that
    modes: int = 8  # blendshapes of the speaker's own
    unseen: float = 0.25  # share of the Gaussians that lie evenly on the skin, seen or not
    body: float = 0.4  # of these, how much less densely they lie on the shoulders
    mouth: float = 2.0  # times as many on a pixel of the mouth
    cover: float = 0.75  # spread of those where nothing is seen
    opaque: float = 0.985  # and their opacity


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The first model, the triangle (N,) of each Gaussian, and how much of it (N,) is invented."""

    model: BoundGaussians
    where: torch.Tensor
    invented: torch.Tensor


def seen_surface(whole: WholeHead, frames: list[SeenFrame]) -> PaintedSurface:
    """Colours of all vertices: the middle of what the frames show of each, from pixels that are
    surely the person's and look at it not too steeply.
    """
    rig = whole.rig
    rows = np.full((len(frames), len(rig.neutral), 3), np.nan, np.float32)
    for row, frame in zip(rows, frames, strict=True):
        pixels = frame.seen.pixels
        sure = (frame.matte[..., 0].numpy() > SURE).astype(np.uint8)
        sure = cv2.erode(sure, np.ones((3, 3), np.uint8), borderValue=1).reshape(-1)
        facing = _facing(whole, frame)[rig.triangles[frame.seen.triangles]].mean(1)
        good = (sure[pixels] > 0) & (facing > FACING)
        corner = frame.seen.weights.argmax(1)
        vertices = rig.triangles[frame.seen.triangles, corner][good]
        row[vertices] = frame.image.reshape(-1, 3).numpy()[pixels[good]]
    region = regions(rig, whole.motion.rest, whole.anatomy, whole.body)
    return painted(rows, rig, whole.motion.rest, region)


def _facing(whole: WholeHead, frame: SeenFrame) -> Floats:
    """(V,) cosine between the normals and the way to the camera."""
    vertices = whole.motion.vertices(whole.rig, frame.number)
    rotation, shift = frame.viewmat[:3, :3].numpy(), frame.viewmat[:3, 3].numpy()
    away = -rotation.T @ shift - vertices
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray((normals(vertices, whole.rig.triangles) * away).sum(1), np.float32)


def pixels_of_triangles(count: int, frames: list[SeenFrame]) -> Floats:
    """(T,) the most that each triangle covered in one frame: a mouth's inside counts although it is
    rarely open.
    """
    counts = np.zeros(count, np.float32)
    for frame in frames:
        np.maximum(counts, np.bincount(frame.seen.triangles, minlength=count), out=counts)
    return counts


def densities(
    whole: WholeHead, frames: list[SeenFrame], config: BeginConfig
) -> tuple[Floats, Floats]:
    """(T,) shares of the Gaussians by triangle, and the triangles' areas in square centimetres."""
    rig, rest = whole.rig, whole.motion.rest
    a, b, c = (rest[rig.triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    pixels = pixels_of_triangles(len(area), frames)
    pixels *= np.where(whole.speaking, config.mouth, 1)
    even = np.where(rig.triangle_parts == Part.SKIN, area**FINE, 0)  # fine where the mesh is
    even *= np.where(whole.body[rig.triangles].all(1), config.body, 1)
    share = (1 - config.unseen) * pixels / pixels.sum() + config.unseen * even / even.sum()
    return np.asarray(share, np.float32), np.asarray(area, np.float32)


def begin(
    whole: WholeHead, frames: list[SeenFrame], count: int, config: BeginConfig, seed: int
) -> Begun:
    """The first model of a whole head, by some of its frames."""
    random = np.random.default_rng(seed)
    rig, rest = whole.rig, whole.motion.rest
    surface = seen_surface(whole, frames)
    share, area = densities(whole, frames, config)
    where = np.searchsorted(
        np.cumsum(share / share.sum()), (np.arange(count) + random.random()) / count
    ).clip(0, len(share) - 1)  # evenly, not by chance
    weights = random.dirichlet((1.0, 1.0, 1.0), count).astype(np.float32)
    corners = rig.triangles[where]
    places = (rest[corners] * weights[..., None]).sum(1)
    color = (surface.colors[corners] * weights[..., None]).sum(1)
    invented = 1 - (surface.known[corners] * weights).sum(1)
    frame = frames[len(frames) // 2]
    pixels = float(pixels_of_triangles(len(area), frames).sum())
    between = float(frame.viewmat[2, 3] / frame.K[0, 0]) * np.sqrt(
        pixels / (count * (1 - config.unseen))
    )  # centimetres between neighbours, where pixels say how many there are
    apart = np.sqrt(area[where] / (share[where] / share.sum() * count).clip(1e-9)).clip(
        0.5 * between, 1.5
    )
    apart = np.where(invented > 0.5, apart, np.minimum(apart, 1.3 * between))
    spread = np.where(invented > 0.5, config.cover, config.spread) * apart
    model = _model(whole, where, places, color, spread, invented, config, seed)
    return Begun(
        model=model,
        where=torch.from_numpy(where),
        invented=torch.from_numpy(invented.astype(np.float32)),
    )


def _model(
    whole: WholeHead,
    where: np.ndarray,
    places: Floats,
    color: Floats,
    spread: Reals,
    invented: Floats,
    config: BeginConfig,
    seed: int,
) -> BoundGaussians:
    rest = torch.from_numpy(whole.motion.rest)
    frames = triangle_frames(rest, torch.from_numpy(whole.rig.triangles[where]).long())
    count = len(where)
    means = torch.einsum("nji,nj->ni", frames.rotations, torch.from_numpy(places) - frames.origins)
    shape = torch.tensor([1, config.flat, 1])  # the normal is the second axis
    scales = torch.from_numpy(np.asarray(spread, np.float32))[:, None] * shape
    sh = torch.zeros(count, coefficient_count(SH_DEGREE), 3)
    sh[:, 0] = (torch.from_numpy(color) - 0.5) / SH_C0
    quats = torch.tensor([1.0, 0, 0, 0]).repeat(count, 1)
    generator = torch.Generator().manual_seed(seed)
    latent = LatentPose(
        torch.randn(config.modes, len(whole.rig.names), generator=generator) * 0.3,
        torch.zeros(config.modes),
    )
    nothing = torch.zeros(config.modes, count, 3)
    opacity = torch.from_numpy(np.where(invented > 0.5, config.opaque, config.opacity)).float()
    return BoundGaussians(
        means=means,
        quats=quats,
        log_scales=scales.log(),
        opacity_logits=torch.logit(opacity),
        sh=sh,
        mean_shapes=nothing,
        color_shapes=nothing.clone(),
        latent=latent,
    )
