"""Points followed on the object through many pictures, tied to the surface where they were first seen."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from ...media.tracks.follow import FollowConfig, follow
from ...media.tracks.tracks import Tracks
from ..mesh_rasterizer import fragments, project
from ..moments import Moment
from .motion import Motion, skinned
from .nodes import NodeGraph


@dataclass(frozen=True)
class LongTracksConfig:
    """Points are followed on pictures enlarged by `zoom`, in which small things can be followed to parts of a pixel."""

    points: int = 500
    zoom: float = 2.0
    least: int = 4
    reach: float = 0.05  # errors beyond this share of the picture's side count no further


@dataclass(frozen=True)
class SeenPoints:
    """In one moment: which of the followed points are seen, and where, in pixels of the full level."""

    points: Tensor  # (S,)
    uv: Tensor  # (S, 2)


@dataclass(frozen=True)
class LongTracks:
    """`begins`: moment in which each of P points is tied to the surface, the middle of its track."""

    moments: list[SeenPoints]
    begins: Tensor  # (P,)


@dataclass(frozen=True)
class Ties:
    """Where the followed points sit on the mesh."""

    corners: Tensor  # (P, 3) vertices
    weights: Tensor  # (P, 3)
    valid: Tensor  # (P,)


def _common_pictures(moments: list[Moment], zoom: float) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Grey pictures and masks of one size, and (M, 3) zoom and offset of each cut within it: its middle lies in the middle."""
    sizes = np.array([m.levels[0].size for m in moments])
    wide, high = (int(n) for n in np.ceil(sizes.max(0) * zoom) + 8)
    grays, masks, places = [], [], []
    for moment, (width, height) in zip(moments, sizes, strict=True):
        level = moment.levels[0]
        left, top = (wide - width * zoom) / 2, (high - height * zoom) / 2
        gray = np.full((high, wide), 96, np.uint8)
        mask = np.zeros((high, wide), np.uint8)
        color = (level.color + 0.38 * (1 - level.alpha[..., None])).mean(2).clamp(0, 1).numpy() * 255
        affine = np.array([[zoom, 0, left + zoom / 2 - 0.5], [0, zoom, top + zoom / 2 - 0.5]])
        cv2.warpAffine(color.astype(np.uint8), affine, (wide, high), gray, cv2.INTER_CUBIC, cv2.BORDER_TRANSPARENT)
        cv2.warpAffine((level.alpha.numpy() * 255).astype(np.uint8), affine, (wide, high), mask, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
        inner = cv2.erode((mask > 230).astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
        grays.append(gray)
        masks.append(np.asarray(inner, np.uint8))
        places.append((zoom, left, top))
    return grays, masks, np.array(places)


def follow_object(moments: list[Moment], config: LongTracksConfig = LongTracksConfig()) -> LongTracks | None:
    """Tracks of moments that follow each other; None where nothing can be followed."""
    grays, masks, places = _common_pictures(moments, config.zoom)
    tracks: Tracks = follow(grays, FollowConfig(points=config.points, window=15, levels=3, quality=0.01, least=config.least), masks)
    if tracks.points < 8:
        return None
    seen = []
    for index, (zoom, left, top) in enumerate(places):
        here = tracks.frame == index
        uv = (tracks.uv[here] - [left, top]) / zoom
        seen.append(SeenPoints(torch.from_numpy(tracks.point[here]), torch.from_numpy(uv).float()))
    first = np.concatenate([[0], np.cumsum(tracks.lengths)[:-1]])
    return LongTracks(seen, torch.from_numpy(tracks.frame[first + tracks.lengths // 2]))


@torch.no_grad()
def tie(tracks: LongTracks, moments: list[Moment], faces: Tensor, vertices: Tensor, graph: NodeGraph, motion: Motion) -> Ties:
    """Each point to the place of the surface that is seen under it at the moment where it begins, as the mesh stands now."""
    count = len(tracks.begins)
    corners, weights, valid = torch.zeros(count, 3, dtype=torch.long), torch.zeros(count, 3), torch.zeros(count, dtype=torch.bool)
    for index in tracks.begins.unique().tolist():
        moment, seen = moments[index], tracks.moments[index]
        level = moment.levels[0]
        own = tracks.begins[seen.points] == index
        points, uv = seen.points[own], seen.uv[own]
        screen = project(skinned(vertices, graph, motion.at(moment.time)), faces, moment.viewmat, level.K, level.size)
        found = fragments(screen)
        of_pixel = torch.full((screen.width * screen.height,), -1).index_copy(0, found.pixels, torch.arange(len(found.pixels)))
        column = uv[:, 0].long().clamp(0, screen.width - 1)
        hit = of_pixel[uv[:, 1].long().clamp(0, screen.height - 1) * screen.width + column]
        there = hit >= 0
        points, hit = points[there], hit[there]
        corners[points], weights[points], valid[points] = faces[found.faces[hit]], found.barycentric[hit], True
    return Ties(corners, weights, valid)


def track_loss(tracks: LongTracks, ties: Ties, index: int, moment: Moment, placed: Tensor, reach: float) -> Tensor:
    """Mean distance in a moment between tied points and where they were seen, in shares of the picture's side, none beyond `reach`."""
    level, seen = moment.levels[0], tracks.moments[index]
    use = ties.valid[seen.points] & (tracks.begins[seen.points] != index)
    points, uv = seen.points[use], seen.uv[use]
    if not len(points):
        return placed.new_zeros(())
    there = (placed[ties.corners[points]] * ties.weights[points][..., None]).sum(1) @ moment.viewmat[:3, :3].T + moment.viewmat[:3, 3]
    drawn = there[:, :2] / there[:, 2:].clamp_min(1e-3) * level.K.diagonal()[:2] + level.K[:2, 2]
    error = (drawn - uv).square().sum(1).add(1e-6).sqrt() / max(level.size)
    return error.clamp_max(reach).mean()
