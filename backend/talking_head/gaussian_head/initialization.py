"""The Gaussian head before training: as many Gaussians on a triangle as it has pixels, in the
colours that were seen there, and a cover of larger ones on what no frame shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.spatial import KDTree

from ...geometry.arrays import Flags, Floats, Ints, Reals
from ...geometry.spherical_harmonics import SH_C0, coefficient_count
from ..rigs.drawing import normals
from ..rigs.rig import Part
from ..whole_head.anatomy import stillness
from ..whole_head.assembly import WholeHead
from ..whole_head.collar import with_collar
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
    unseen: float = 0.25  # share of the Gaussians that cover the skin evenly, and are not trained
    inset: float = 0.3  # centimetres under the skin, where frames show that: behind what is trained
    lids: float = 0.9  # centimetres around the eyes without a cover
    body: float = 1.0  # of these, how densely they lie on the shoulders, against the head
    mouth: float = 2.0  # times as many on a pixel of the mouth
    cover: float = 0.75  # spread of the cover
    opaque: float = 0.985  # and their opacity


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The first model, the triangle (N,) of each Gaussian, how much of it (N,) is invented."""

    model: BoundGaussians
    where: torch.Tensor
    invented: torch.Tensor
    held: torch.Tensor  # (N,) the cover, which is not trained
    faced: torch.Tensor  # (N,) cosine at which frames show it best; -1: none does


@dataclass(frozen=True)
class ShownClip:
    """A head as one clip moves it, and frames of that clip."""

    whole: WholeHead
    frames: list[SeenFrame]


def seen_surface(clips: Sequence[ShownClip]) -> PaintedSurface:
    """Colours of all vertices: the middle of what the frames show of each."""
    whole = clips[0].whole
    rows = np.concatenate([shown_colors(clip) for clip in clips])
    region = regions(whole.rig, whole.motion.rest, whole.anatomy, whole.body)
    region = with_collar(region, rows, whole.motion.rest, whole.anatomy)
    return painted(rows, whole.rig, whole.motion.rest, region)


def shown_colors(clip: ShownClip) -> Floats:
    """(F, V, 3) what each frame shows of the vertices, from pixels that are surely the person's
    and look at it not too steeply; NaN elsewhere.
    """
    whole, frames = clip.whole, clip.frames
    rig = whole.rig
    rows = np.full((len(frames), len(rig.neutral), 3), np.nan, np.float32)
    for row, frame in zip(rows, frames, strict=True):
        pixels = frame.seen.pixels
        sure = ((frame.matte * frame.counted)[..., 0].numpy() > SURE).astype(np.uint8)
        sure = cv2.erode(sure, np.ones((3, 3), np.uint8), borderValue=1).reshape(-1)
        facing = _facing(whole, frame)[rig.triangles[frame.seen.triangles]].mean(1)
        good = (sure[pixels] > 0) & (facing > FACING)
        corner = frame.seen.weights.argmax(1)
        vertices = rig.triangles[frame.seen.triangles, corner][good]
        row[vertices] = frame.image.reshape(-1, 3).numpy()[pixels[good]]
    return rows


def best_facing(clips: Sequence[ShownClip]) -> Floats:
    """(V,) the largest cosine between a vertex's normal and the way to the camera, of frames that
    show it; -1 where none does.
    """
    best = np.full(len(clips[0].whole.rig.neutral), -1, np.float32)
    for clip in clips:
        for frame in clip.frames:
            shown = np.unique(clip.whole.rig.triangles[frame.seen.triangles])
            best[shown] = np.maximum(best[shown], _facing(clip.whole, frame)[shown])
    return best


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


def cover_shares(whole: WholeHead, config: BeginConfig) -> Floats:
    """(T,) how the cover lies over the skin, fine where the mesh is: less of it in the face, which
    frames show well, and none around the lips and the lids, which part.
    """
    rig, rest = whole.rig, whole.motion.rest
    shares = np.where(rig.triangle_parts == Part.SKIN, areas(whole) ** FINE, 0)
    shares *= 0.3 + 0.7 * stillness(rig)[rig.triangles].mean(1)
    shares *= np.where(whole.body[rig.triangles].all(1), config.body, 1)
    balls = rest[np.isin(rig.vertex_parts, (Part.EYE, Part.IRIS))]
    if len(balls):
        near = KDTree(balls).query(rest[rig.triangles].mean(1))[0] < config.lids
        shares[near] = 0
    return np.asarray(np.where(whole.speaking, 0, shares), np.float32)


def areas(whole: WholeHead) -> Floats:
    """(T,) square centimetres at rest."""
    a, b, c = (whole.motion.rest[whole.rig.triangles[:, k]] for k in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2, np.float32)


def _spread_over(shares: Floats, count: int, random: np.random.Generator) -> Ints:
    """(count,) triangles, evenly by their shares, not by chance."""
    at = (np.arange(count) + random.random()) / count
    placed = np.searchsorted(np.cumsum(shares / shares.sum()), at)
    return np.asarray(placed.clip(0, len(shares) - 1), np.int64)


def begin(clips: Sequence[ShownClip], count: int, config: BeginConfig, seed: int) -> Begun:
    """The first model of a whole head, by some of its frames."""
    random = np.random.default_rng(seed)
    whole, frames = clips[0].whole, clips[0].frames
    rig, rest = whole.rig, whole.motion.rest
    surface = seen_surface(clips)
    every = [frame for clip in clips for frame in clip.frames]
    pixels = pixels_of_triangles(len(rig.triangles), every)
    shares = pixels * np.where(whole.speaking, config.mouth, 1), cover_shares(whole, config)
    covering = round(config.unseen * count)
    counts = count - covering, covering
    where = np.concatenate(
        [_spread_over(share, n, random) for share, n in zip(shares, counts, strict=True)]
    )
    weights = random.dirichlet((1.0, 1.0, 1.0), count).astype(np.float32)
    corners = rig.triangles[where]
    invented = 1 - (surface.known[corners] * weights).sum(1)
    cover = np.arange(count) >= counts[0]
    frame = frames[len(frames) // 2]
    between = float(frame.viewmat[2, 3] / frame.K[0, 0]) * np.sqrt(pixels.sum() / counts[0])
    wide = np.sqrt(areas(whole) / (shares[1] / shares[1].sum() * covering).clip(1e-9))
    apart = np.where(cover, wide[where].clip(0.5 * between, 1.5), between)
    model = _model(
        whole,
        where,
        (rest[corners] * weights[..., None]).sum(1),
        (surface.colors[corners] * weights[..., None]).sum(1),
        np.where(cover, config.cover, config.spread) * apart,
        cover,
        config,
        seed,
    )
    model.means[torch.from_numpy(cover & (invented < 0.5)), 1] -= config.inset
    return Begun(
        model=model,
        where=torch.from_numpy(where),
        invented=torch.from_numpy(invented.astype(np.float32)),
        held=torch.from_numpy(cover | (invented > 0.5)),
        faced=torch.from_numpy((best_facing(clips)[corners] * weights).sum(1)),
    )


def _model(
    whole: WholeHead,
    where: np.ndarray,
    places: Floats,
    color: Floats,
    spread: Reals,
    cover: Flags,
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
    opacity = torch.from_numpy(np.where(cover, config.opaque, config.opacity)).float()
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
