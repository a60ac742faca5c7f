"""Scenes with exact masks that boundaries and wholes are learned from; none counts as a result.

Rooms 0 to 2, one of them on a short path, and a table as the product trains them, the same rooms
with ideal splats, and scenes of every kind whose ideal splats were moved at random, as smoothly as
a training errs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from helpers import furniture_room, object_scenes
from PIL import Image
from scipy.spatial import KDTree

from backend.formats import capture, splat_ply
from backend.gaussians.options import Drawables, RasterOptions, RasterView, options_for
from backend.geometry.arrays import Flags
from backend.semantics.regions.boundaries import PatchGraph
from backend.semantics.regions.fused_surface import FusedSurface, fuse
from backend.semantics.regions.learned_boundaries import boundary_figures
from backend.semantics.regions.own_pieces import own_pieces
from backend.semantics.regions.surface_pieces import PieceConfig, looked_at, piece_graph, without
from backend.semantics.scene_pieces import far_splats
from backend.semantics.views import choose_views
from tests.benchmarks import semantic_rooms

# seed, kind, whether it is trained
FILES = (
    (0, "", True), (1, "", True), (2, "", True), (0, "short", True), (1, "table", True),
    (0, "", False), (1, "", False), (2, "", False),
)  # fmt: skip
# kind, seed, views, how far splats are moved
DRAWN = (
    ("orbit", 10, 20, 0.03), ("orbit", 14, 20, 0.04), ("orbit", 17, 16, 0.02),
    ("orbit", 20, 20, 0.02), ("table", 11, 16, 0.02), ("table", 13, 14, 0.03),
    ("table", 16, 16, 0.0), ("table", 19, 14, 0.04), ("wall", 12, 16, 0.03),
    ("wall", 15, 14, 0.02), ("wall", 18, 16, 0.04), ("room", 21, 16, 0.03),
    ("pattern", 22, 16, 0.03), ("varied", 23, 16, 0.02), ("table", 24, 16, 0.03),
    ("wall", 25, 14, 0.03), ("table", 26, 14, 0.01), ("wall", 27, 16, 0.01),
    ("orbit", 28, 16, 0.03), ("room", 29, 16, 0.02), ("varied", 30, 16, 0.03),
    ("wall", 31, 14, 0.02), ("table", 32, 16, 0.02), ("orbit", 33, 16, 0.01),
    ("pattern", 34, 16, 0.02), ("wall", 35, 16, 0.04), ("room", 36, 14, 0.04),
    ("table", 40, 16, 0.06), ("wall", 44, 14, 0.06), ("table", 41, 14, 0.1),
    ("wall", 45, 14, 0.1), ("orbit", 47, 14, 0.06), ("room", 48, 14, 0.08),
    ("table", 42, 14, 0.08), ("wall", 46, 14, 0.08), ("pattern", 49, 14, 0.06),
    ("table", 43, 14, 0.12),
)  # fmt: skip
CONFIG = PieceConfig()


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One scene."""

    name: str
    group: str  # scenes of one group are alike: they are left out of a fit together
    surface: FusedSurface
    graph: PatchGraph
    own: np.ndarray  # (V,) the splats' own pieces
    figures: np.ndarray  # (E, 25) of pairs of patches
    depths: list[np.ndarray]  # (H, W) of every view
    votes: np.ndarray  # (V, T) pixels of every thing that a voxel is seen in

    @property
    def things(self) -> np.ndarray:
        """(V,) the thing that most of a voxel shows, -1: unknown."""
        return np.where(self.votes.max(1) > 0, self.votes.argmax(1), -1)

    @property
    def patch_votes(self) -> np.ndarray:
        """(P, T)"""
        found = np.zeros((len(self.graph.sizes), self.votes.shape[1]))
        np.add.at(found, self.graph.patches, self.votes)
        return found


def lessons() -> Iterator[Lesson]:
    for seed, kind, trained in FILES:
        yield of_files(seed, kind, trained)
    for kind, seed, views, moved in DRAWN:
        yield drawn(kind, seed, views, moved)


def of_files(seed: int, kind: str, trained: bool) -> Lesson:
    """A room as `segment` sees it at the preset balanced."""
    found = semantic_rooms.files(seed, kind)
    ply = found.trained if trained else found.ideal
    gaussians, _ = semantic_rooms.drawables(ply)
    views = choose_views(capture.read(found.capture), 30, 480, "cpu")
    masks = [Image.open(found.regions / f"{v.frame.image.stem}.png") for v in views]
    arrays = splat_ply.read(ply)
    return taught(
        f"{kind or 'room'} {seed}, {'trained' if trained else 'ideal'}",
        f"{kind if kind in object_scenes.KINDS else 'room'} {seed}",
        (gaussians, far_splats(arrays)),
        [(v.view, v.read_image()) for v in views],
        [np.asarray(m).astype(int) - 1 for m in masks],
        options_for(arrays.notes),
    )


def drawn(kind: str, seed: int, views: int, moved: float) -> Lesson:
    """A scene that is not on disk, whose splats are `moved` so far (standard deviation)."""
    camera = semantic_rooms.CAMERA
    if kind in object_scenes.KINDS:
        room = object_scenes.make(seed, kind, views, camera)
    else:
        room = furniture_room.make(
            seed, views=views, varied=kind != "room", camera=camera, patterned=kind == "pattern"
        )
    means = room.gaussians.means.numpy()
    away = np.random.default_rng(seed).normal(size=means.shape)
    away = away[KDTree(means).query(means, k=6)[1]].mean(1)
    away *= moved / away.std()
    gaussians = replace(room.gaussians, means=room.gaussians.means + torch.from_numpy(away).float())
    return taught(
        f"{kind} {seed}, moved by {moved}",
        f"{kind} {seed}",
        (gaussians, np.zeros(len(means), bool)),
        list(zip(room.views, room.images, strict=True)),
        room.owners,
        RasterOptions(),
    )


def taught(
    name: str,
    group: str,
    splats: tuple[Drawables, Flags],
    views: list[tuple[RasterView, np.ndarray]],
    masks: list[np.ndarray],
    options: RasterOptions,
) -> Lesson:
    """`splats`: and which of them are surroundings. `masks` (H, W) of every view: the thing of a
    pixel, -1: unknown.
    """
    gaussians, far = splats
    haze, seen = looked_at(gaussians, views, options, CONFIG.seen, far)
    surface = fuse(seen, CONFIG.fusion)
    if surface is None:
        raise ValueError(f"{name} shows no surface")
    own = own_pieces(without(gaussians, haze), surface, CONFIG.own)
    graph = piece_graph(surface, seen, CONFIG)
    depths = [view.depth for view in seen]
    votes = np.zeros((len(surface.points), max(int(m.max()) for m in masks) + 2))
    for mask, shown in zip(masks, surface.maps, strict=True):
        np.add.at(votes, (shown[shown >= 0], mask[shown >= 0]), 1)  # unknown is the last
    return Lesson(
        name=name,
        group=group,
        surface=surface,
        graph=graph,
        own=own,
        figures=boundary_figures(surface, graph, own, depths),
        depths=depths,
        votes=votes[:, :-1],
    )
