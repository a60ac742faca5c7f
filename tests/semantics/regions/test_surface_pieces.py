"""Pieces as pictures show them: the surface that views agree on, where it is parted, and what hangs
in mid-air.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import furnished_room
from helpers.furnished_room import Room

from backend.gaussians.options import Drawables, RasterOptions, RasterView
from backend.semantics.regions.boundaries import edges
from backend.semantics.regions.fused_surface import FusedSurface, fuse
from backend.semantics.regions.rough_planes import with_rough_parts
from backend.semantics.regions.seen_surface import SeenConfig, confirmed, floating, see
from backend.semantics.regions.surface_pieces import Pieces, find_pieces, grown
from backend.semantics.regions.surface_planes import SurfacePlaneConfig, find_surface_planes
from backend.semantics.regions.wavy_planes import continued


@pytest.fixture(scope="module")
def room() -> Room:
    return furnished_room.make(1, views=16, pieces=8)


def shown(room: Room) -> list[tuple[RasterView, np.ndarray]]:
    return list(zip(room.views, room.images, strict=True))


@pytest.fixture(scope="module")
def pieces(room: Room) -> Pieces:
    found = find_pieces(room.gaussians, shown(room), RasterOptions())
    assert found is not None
    return found


def test_a_room_falls_into_its_furniture(room: Room, pieces: Pieces) -> None:
    solid = (room.objects >= 0) & ~pieces.nothing
    good = []
    for o in np.unique(room.objects[solid]):
        mine = solid & (room.objects == o)
        if mine.sum() >= 60 and furnished_room.CLASSES[room.classes[o]] != "rug":
            there = np.unique(pieces.labels[mine])
            parts = [solid & (pieces.labels == k) for k in there if k >= 0]
            good.append(max((mine & p).sum() / (mine | p).sum() for p in parts))
    assert np.mean(np.array(good) > 0.5) >= 0.8
    assert len(pieces.pictures) == len(room.views) and pieces.pictures[0].max() < pieces.count


def test_haze_is_of_nothing_and_surfaces_are_not(room: Room) -> None:
    seen = [see(room.gaussians, *v, RasterOptions()) for v in shown(room)]
    haze = floating(room.gaussians, seen, SeenConfig())
    air = room.objects < 0
    assert haze[~air].mean() < 0.01 and haze[air].mean() > 0.3


def test_units_and_axes_do_not_matter(room: Room, pieces: Pieces) -> None:
    g, scale = room.gaussians, 40.0
    larger = Drawables(
        means=g.means * scale,
        quats=g.quats,
        scales=g.scales * scale,
        opacities=g.opacities,
        colors=g.colors,
    )
    views = []
    for view, image in shown(room):
        viewmat = view.viewmat.clone()
        viewmat[:3, 3] *= scale
        moved = RasterView(
            viewmat=viewmat,
            K=view.K,
            width=view.width,
            height=view.height,
            sh_degree=None,
            background=view.background,
        )
        views.append((moved, image))
    found = find_pieces(larger, views, RasterOptions())
    assert found is not None and abs(found.count - pieces.count) <= 3
    both = (found.labels >= 0) & (pieces.labels >= 0)
    assert (found.labels == pieces.labels)[both].mean() > 0.8


def test_surroundings_that_shine_through_a_surface_are_left_out_of_it(room: Room) -> None:
    g, shell = room.gaussians, 6000
    away = np.random.default_rng(0).normal(size=(shell, 3))
    away *= 80 / np.linalg.norm(away, axis=1, keepdims=True)
    thin = Drawables(
        means=torch.cat([g.means, torch.from_numpy(away).float()]),
        quats=torch.cat([g.quats, torch.tensor([[1.0, 0, 0, 0]]).repeat(shell, 1)]),
        scales=torch.cat([g.scales, torch.full((shell, 3), 2.0)]),
        opacities=torch.cat([0.5 * g.opacities, torch.full((shell,), 0.95)]),
        colors=torch.cat([g.colors, torch.full((shell, 3), 0.5)]),
    )
    far = np.arange(len(thin.means)) >= len(g.means)
    solid = np.append(room.objects >= 0, np.zeros(shell, bool))
    blurred, sharp = (
        find_pieces(thin, shown(room), RasterOptions(), far=marks) for marks in (None, far)
    )
    assert sharp is not None and sharp.nothing[far].all() and (sharp.labels[far] == -1).all()
    assert sharp.nothing[solid].mean() < 0.05
    assert blurred is None or blurred.nothing[solid].mean() > 0.2


def test_pictures_without_splats_give_no_pieces(room: Room) -> None:
    away = room.views[0].viewmat.clone()
    away[2, 3] = -1000.0  # all lies behind the camera
    view = RasterView(
        viewmat=away,
        K=room.views[0].K,
        width=40,
        height=30,
        sh_degree=None,
        background=torch.zeros(3),
    )
    image = np.zeros((30, 40, 3), np.uint8)
    assert find_pieces(room.gaussians, [(view, image)] * 2, RasterOptions()) is None


def sheet(normal: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (V, 3) of a square sheet about `offset`, normals (V, 3) that err, and pairs that
    touch.
    """
    side, random = 60, np.random.default_rng(1)
    along = np.linalg.svd(normal[None])[2][1:]
    u, v = np.meshgrid(np.arange(side), np.arange(side))
    grid = 0.1 * (np.stack([u.ravel(), v.ravel()], 1) - side / 2)
    normals = normal + random.normal(0, 0.35, (side**2, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    number = np.arange(side**2).reshape(side, side)
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    touching = np.concatenate([np.stack([a.ravel(), b.ravel()], 1) for a, b in pairs])
    return grid @ along + offset, normals, touching


def test_a_plane_is_found_where_normals_err_and_takes_no_strip_of_what_crosses_it() -> None:
    floor, up, pairs = sheet(np.array([0.0, 0, 1]), np.zeros(3))
    tilt = np.radians(50)
    slope, away, more = sheet(np.array([np.sin(tilt), 0, np.cos(tilt)]), np.array([20.0, 0, 0]))
    surface = FusedSurface(
        points=np.concatenate([floor, slope]),
        normals=np.concatenate([up, away]),
        widths=np.full(7200, 0.1),
        cells=10 * np.concatenate([floor, slope]),
        pairs=np.concatenate([pairs, more + 3600]),
        maps=[],
    )
    crossing = np.abs(slope[:, 2]) < 0.2
    on, strip = [], []
    for rounds in (SurfacePlaneConfig().rounds, 0):
        found = find_surface_planes(surface, SurfacePlaneConfig(rounds=rounds))
        number = np.bincount(found[:3600] + 1).argmax() - 1
        on.append((found[:3600] == number).mean() if number >= 0 else 0.0)
        strip.append((found[3600:][crossing] == number).mean())
    assert on[0] > 0.98 > 0.95 > on[1], "single normals do not tell"
    assert crossing.sum() > 100 and strip[0] < 0.02


def test_planes_of_a_surface_come_by_size() -> None:
    random = np.random.default_rng(0)
    floor = np.insert(random.uniform(0, 9, (4000, 2)), 2, random.normal(0, 0.02, 4000), 1)
    wall = np.insert(random.uniform(0, 4, (2000, 2)), 0, random.normal(0, 0.02, 2000), 1)
    ball = random.normal(size=(500, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    points = np.concatenate([wall, floor, ball + 5])
    axes = np.eye(3)
    normals = np.concatenate([np.tile(axes[0], (2000, 1)), np.tile(axes[2], (4000, 1)), ball])
    surface = FusedSurface(
        points=points,
        normals=normals,
        widths=np.full(6500, 0.1),
        cells=points,
        pairs=np.zeros((0, 2), np.int64),
        maps=[],
    )
    found = find_surface_planes(surface)
    assert (found[2000:6000] == 0).mean() > 0.97 and (found[:2000] == 1).mean() > 0.97
    assert (found[6000:] < 0).mean() > 0.9


def test_bumps_of_a_wall_are_of_it_and_what_stands_before_it_is_not() -> None:
    """A wall of 40 x 60 voxels, one a pixel, with bumps of 3 x 3; a box of 20 x 20 before it."""
    rows, columns = np.divmod(np.arange(2400), 60)
    bump = (rows % 9 < 3) & (columns % 9 < 3) & (columns < 36)
    box = (rows >= 20) & (columns >= 38) & (columns < 58)
    far = bump & (rows < 9) & (columns < 9)
    depth = np.where(box | bump, 0.3, 0.0) + 2.0 * far
    points = np.stack([columns * 0.1, rows * 0.1, depth], 1)
    surface = FusedSurface(
        points=points,
        normals=np.tile([0.0, 0.0, 1.0], (2400, 1)),
        widths=np.full(2400, 0.1),
        cells=points / 0.1,
        pairs=np.zeros((0, 2), np.int64),
        maps=[np.arange(2400, dtype=np.int32).reshape(40, 60)],
    )
    planes = np.where(box | bump, -1, 0).astype(np.int32)
    found = with_rough_parts(surface, planes)
    assert (found[bump & ~far] == 0).all() and (found[far] == -1).all()
    assert (found[box] == -1).mean() > 0.95
    np.testing.assert_array_equal(with_rough_parts(surface, np.full(2400, -1, np.int32)), -1)


def test_edges_are_steps_of_colour() -> None:
    image = np.full((40, 60, 3), 60, np.uint8)
    image[:, 30:] = 160
    found = edges(image)
    assert found[:, 28:32].max() > 25 and found[:, :20].max() < 1


def test_a_sagging_floor_is_one_plane_and_a_table_is_not_of_it() -> None:
    """A floor of 60 x 40 voxels that is level, sags by up to three widths, and is level again one
    width lower, which was taken for a plane of its own; and a table top three widths above.
    """
    x, y = np.meshgrid(np.arange(60), np.arange(40), indexing="ij")
    sag = np.interp(x, [0, 25, 40, 50, 60], [0, 0, -3, -1, -1])
    floor = np.stack([x, y, sag], -1).reshape(-1, 3).astype(float)
    table = floor[(floor[:, 0] < 10) & (floor[:, 1] < 10)] + [0, 0, 3]
    points = np.concatenate([floor, table])
    where = {tuple(p): i for i, p in enumerate(floor[:, :2].astype(int).tolist())}
    beside = [(i, where.get((a + 1, b), -1)) for (a, b), i in where.items()]
    beside += [(i, where.get((a, b + 1), -1)) for (a, b), i in where.items()]
    surface = FusedSurface(
        points=points,
        normals=np.tile([0.0, 0.0, 1.0], (len(points), 1)),
        widths=np.ones(len(points)),
        cells=points,
        pairs=np.array([(a, b) for a, b in beside if b >= 0]),
        maps=[],
    )
    planes = np.full(len(points), -1, np.int32)
    planes[:2400] = np.where(x < 28, 0, np.where(x > 50, 1, -1)).ravel()
    edges_shown = np.zeros(len(surface.pairs)), np.ones(len(surface.pairs), np.int64)
    found = continued(surface, planes, edges_shown)
    assert (found[:2400] == 0).all() and (found[2400:] == -1).all()
    framed = np.where(
        (surface.pairs < 2400).all(1) & (points[surface.pairs, 0] == [35, 36]).all(1), 30.0, 0
    )
    found = continued(surface, planes, (framed, edges_shown[1]))
    level = found[:2400].reshape(60, 40)
    assert (level[:36] == 0).all() and (level[36:50] == 1).all() and (level[51:] == 1).all()


def test_labels_grow_to_edges_and_no_farther_than_they_may(room: Room) -> None:
    image = np.full((60, 90, 3), 30, np.uint8)
    image[:, 45:] = 220
    seen = see(room.gaussians, room.views[0], room.images[0], RasterOptions())
    labels = np.full((60, 90), -1, np.int32)
    labels[:, 34:41], labels[:, 49:60] = 0, 1
    found = grown(labels, replace(seen, image=image), 8)
    assert (found[:, 35:44] == 0).all() and (found[:, 47:59] == 1).all()
    assert (found[:, :20] == -1).all() and (found[:, 75:] == -1).all()


def test_a_surface_is_numbered_as_its_pictures_are(room: Room) -> None:
    seen = confirmed([see(room.gaussians, *v, RasterOptions()) for v in shown(room)[:6]])
    surface = fuse(seen)
    assert surface is not None and len(surface.points) == len(surface.normals)
    assert (surface.pairs[:, 0] < surface.pairs[:, 1]).all()
    assert max(int(m.max()) for m in surface.maps) < len(surface.points)
