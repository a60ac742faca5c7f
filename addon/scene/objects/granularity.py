"""From parts to wholes: objects that go together at the granularity that is set, by the tree of how
they were found, or by how they touch and look.
"""

from pathlib import Path

import bpy
import numpy as np

from ....backend.cutting.hierarchy import MergeTree, sound_tree, tree_of
from ....backend.formats import semantics_file
from ....backend.geometry.arrays import Floats
from ....backend.protocol import InputError
from ..splats import pointclouds, radiance, splats
from . import objects
from .object_item import ObjectItem, group_of


def _store(cloud: bpy.types.Object, pairs: np.ndarray, rates: np.ndarray | None) -> None:
    cloud[objects.PAIRS] = [int(n) for n in np.asarray(pairs).ravel()]
    cloud[objects.RATES] = [float(r) for r in np.asarray(rates).ravel()]


def _tree(cloud: bpy.types.Object) -> MergeTree:
    """The one that is remembered, else the segmentation's own, else one by contact and likeness."""
    rows = int(cloud.get(objects.ROWS, 0))
    if objects.PAIRS not in cloud:
        semantics = _semantics(cloud, rows)
        if semantics is not None and semantics.tree_pairs is not None:
            _store(cloud, semantics.tree_pairs, semantics.tree_rates)
        else:
            tree = _by_contact(cloud, rows, semantics.features if semantics is not None else None)
            _store(cloud, tree.pairs, tree.rates)
    pairs = np.array(cloud[objects.PAIRS], np.int64)
    try:
        return sound_tree(pairs, np.array(cloud[objects.RATES], np.float32), rows)
    except ValueError:  # edited by hand: no tree is better than a wrong one
        return MergeTree(np.zeros((0, 2), np.int64), np.zeros(0), rows)


def _semantics(cloud: bpy.types.Object, rows: int) -> semantics_file.Semantics | None:
    """What the segmentation knows, where its folder is still there."""
    path = Path(str(cloud.get(objects.FOLDER, ""))) / semantics_file.NAME
    try:
        semantics = semantics_file.read(path) if path.is_file() else None
    except InputError:
        return None
    return semantics if semantics is not None and len(semantics.features) == rows else None


def _by_contact(cloud: bpy.types.Object, rows: int, features: Floats | None) -> MergeTree:
    labels = objects.numbers_of(cloud)
    labels[labels >= rows] = -1  # made by hand since
    rgb = np.asarray(splats.base_of(cloud)[:, :3] * radiance.SH_C0 + 0.5, np.float32)
    return tree_of(pointclouds.positions(cloud.data), rgb, labels, rows, features)


def follow(cloud: bpy.types.Object) -> None:
    """Groups objects as the granularity says: every one is then called after the largest of its
    group. Splats are not touched, so that it takes a moment for any number of them.
    """
    items = cloud.splatsmith_objects
    if cloud.splatsmith_granularity >= 1.0:
        for item in items:
            item.group = -1
        return
    group = _tree(cloud).at(1 - cloud.splatsmith_granularity)
    members: dict[tuple[bool, int], list[ObjectItem]] = {}
    for item in items:
        row = next((int(p) for p in item.parts.split(",") if p and int(p) < len(group)), -1)
        key = (True, int(group[row])) if row >= 0 else (False, item.number)
        members.setdefault(key, []).append(item)
    for listed in members.values():
        number = max(listed, key=lambda item: item.count).number
        for item in listed:
            item.group = number
    active = objects.active_item(cloud)
    if active:  # what the list does not show can't be the active row
        shown = [item.number for item in items].index(group_of(active[0]))
        cloud.splatsmith_object = shown
