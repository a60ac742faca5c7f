"""Long-range tracks pull a mesh to where its places are seen again."""

from pathlib import Path

import pytest
import torch
from helpers import turning_blob

from backend.dynamic_mesh.footage import load as footage
from backend.dynamic_mesh.footage.point_tracks import partners, track_loss
from backend.dynamic_mesh.surfaces.mesh_rasterizer import fragments, project
from backend.formats import capture


def test_tracks_follow_places_and_their_loss_knows_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint = turning_blob.paint
    monkeypatch.setattr(turning_blob, "paint", lambda vertices: paint(vertices * 2.5))
    truth = turning_blob.write(tmp_path / "clip", frames=48, size=160)
    found = footage.load(capture.read(tmp_path / "clip"), None, 0.0)
    seen_at = [len(m.tracks.ids) for m in found.views]
    assert min(seen_at) > 10
    together = partners(found.views, 8)
    assert sum(len(p) > 1 for p in together) > 40
    unit = [
        torch.tensor((v - c) / found.placement.radius).float()
        for v, c in zip(truth, found.placement.centers, strict=True)
    ]
    faces = torch.tensor(turning_blob.ball()[1])
    errors, shifted = [], []
    for index in (5, 20, 36):
        here, there = found.views[index], found.views[int(together[index][-1])]
        level = here.levels[0]
        seen = fragments(project(unit[index], faces, here.viewmat, level.K, level.size))
        placed = unit[int(together[index][-1])].clone().requires_grad_(True)
        errors.append(float(track_loss(seen, faces, here, level, there, placed, 0.2).detach()))
        moved = (placed.detach() + torch.tensor([0.0, 0.0, 0.1])).requires_grad_(True)
        loss = track_loss(seen, faces, here, level, there, moved, 0.2)
        loss.backward()
        assert moved.grad is not None and float(moved.grad.sum(0)[2]) > 0  # down again
        shifted.append(float(loss.detach()))
    assert max(errors) < 0.04 and min(shifted) > 1.5 * max(errors)


def test_pictures_without_tracks_cost_nothing(tmp_path: Path) -> None:
    turning_blob.write(tmp_path / "clip", frames=3, size=24)
    found = footage.load(capture.read(tmp_path / "clip"), None, 0.0)
    assert all(len(p) == 0 for p in partners(found.views, 8))
