"""Regions that are drawn a little off move to where the picture's edges are."""

import numpy as np
from helpers import furnished_room

from backend.semantics.regions.proposals import propose
from backend.semantics.regions.superpixels import snapped, superpixels
from backend.semantics.view_features import drawn_regions


def test_superpixels_are_small_and_keep_to_edges() -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, 33:] = (200, 120, 40)
    image += np.random.default_rng(0).integers(0, 12, image.shape, dtype=np.uint8)
    found = superpixels(image)
    assert found.shape == (60, 80) and found.min() == 0
    sides = [set(found[:, :32].ravel()), set(found[:, 34:].ravel())]
    assert len(sides[0] & sides[1]) <= 2 and len(sides[0]) > 20
    assert np.bincount(found.ravel()).max() < 200


def test_regions_snap_to_the_picture() -> None:
    room = furnished_room.make(3, views=6)
    pieces = propose(
        room.gaussians.means.numpy(), room.rgb.astype(np.float32), room.gaussians.opacities.numpy()
    )
    before: list[float] = []
    after: list[float] = []
    for image, owners, view in zip(room.images, room.owners, room.views, strict=True):
        regions, _ = drawn_regions(room.gaussians, view, pieces)
        for found, scores in ((regions, before), (snapped(regions, image), after)):
            for o in np.unique(owners[owners >= 0]):
                mine = owners == o
                if mine.sum() > 40 and (mine & (found >= 0)).any():
                    best = np.bincount(found[mine & (found >= 0)]).argmax()
                    scores.append((mine & (found == best)).sum() / (mine | (found == best)).sum())
    assert np.mean(after) > np.mean(before) + 0.01


def test_pictures_without_anything() -> None:
    none = np.full((20, 30), -1, np.int32)
    assert (snapped(none, np.zeros((20, 30, 3), np.uint8)) == -1).all()
    assert snapped(np.zeros((1, 1), np.int32), np.zeros((1, 1, 3), np.uint8)).tolist() == [[0]]
