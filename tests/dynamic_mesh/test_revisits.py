"""Where the camera comes back to a side of the object, points are tied to what was seen there before."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import turning_blob

from backend.dynamic_mesh import footage
from backend.dynamic_mesh.mesh_rasterizer import fragments, project
from backend.dynamic_mesh.point_tracks import partners, track_loss
from backend.dynamic_mesh.revisits import RevisitConfig, revisits
from backend.formats import capture
from backend.geometry.conventions import to_viewmat


def looks(degrees: list[float]) -> list[np.ndarray]:
    return [to_viewmat(turning_blob.camera(np.radians(a))) for a in degrees]


def test_only_a_camera_that_was_away_comes_back() -> None:
    around = looks(list(np.arange(0, 360, 12.0)))
    assert revisits(around, RevisitConfig(near=13)) == [(0, 29), (29, 0)]
    assert revisits(looks([0, 3, -2, 1, 0, 4]), RevisitConfig()) == []  # stands
    assert revisits(looks([-20, -10, 0, 10, 20]), RevisitConfig()) == []
    there_and_back = revisits(looks([0, 40, 80, 41, 2, 1]), RevisitConfig())
    assert (0, 5) in there_and_back and (0, 4) in there_and_back and (1, 3) not in there_and_back
    assert all((b, a) in there_and_back for a, b in there_and_back)
    assert revisits([], RevisitConfig()) == []


def test_a_long_stay_is_tied_all_along() -> None:
    stay = list(np.linspace(0, 0.1, 30))
    pairs = revisits(looks([*stay, 30, 60, 30, *stay]), RevisitConfig())
    ties = np.bincount([a for a, _ in pairs], minlength=63)
    assert ties.max() == 2 and (ties[:30] > 0).all() and (ties[33:] > 0).all() and ties[30:33].max() == 0


def test_a_full_circle_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint, bend = turning_blob.paint, turning_blob.bent
    monkeypatch.setattr(turning_blob, "paint", lambda vertices: paint(vertices * 2.5))
    monkeypatch.setattr(turning_blob, "bent", lambda vertices, time: bend(vertices, time * 2 / 3))  # ends as it began
    truth = turning_blob.write(tmp_path / "clip", frames=48, size=160)
    found = footage.load(capture.read(tmp_path / "clip"), None, 0.0)
    assert 47 in partners(found.moments, 8)[0].tolist() and 0 in partners(found.moments, 8)[47].tolist()
    here, there = found.moments[0], found.moments[47]
    unit = [torch.tensor((truth[k] - found.placement.centers[k]) / found.placement.radius).float() for k in (0, 47)]
    faces, level = torch.tensor(turning_blob.ball()[1]), here.levels[0]
    seen = fragments(project(unit[0], faces, here.viewmat, level.K, level.size))
    right = float(track_loss(seen, faces, here, level, there, unit[1], 0.2))
    turned = torch.tensor([[0.99, -0.14, 0], [0.14, 0.99, 0], [0, 0, 1.0]])  # by 8 degrees
    wrong = float(track_loss(seen, faces, here, level, there, unit[1] @ turned.T, 0.2))
    assert right < 0.02 and wrong > 3 * right
