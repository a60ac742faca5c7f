"""The default head: whole pieces, each with what moves it; eyes that stay balls, lids that close
over them; its file.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.formats import head_file
from backend.formats.arkit import BLENDSHAPES
from backend.formats.head_file import Head
from backend.geometry.nearest_rotation import nearest_rotation
from backend.protocol import InputError
from backend.talking_head.default_head.files import head_in_parts, styled_head
from backend.talking_head.rigs.rig import Part
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.transfer.followers import sphere

HEAD = styled_head(np.zeros(8, np.float32))


def part(name: str) -> np.ndarray:
    """(V,) vertices of a piece."""
    assert HEAD.pieces is not None
    own = HEAD.faces[HEAD.pieces.piece == HEAD.pieces.names.index(name)]
    inside = np.zeros(len(HEAD.vertices), bool)
    inside[own[own >= 0]] = True
    return inside


def shape(name: str) -> np.ndarray:
    return HEAD.shapes[BLENDSHAPES.index(name)]


def test_it_is_whole_and_in_pieces() -> None:
    assert HEAD.pieces is not None and HEAD.names == list(BLENDSHAPES)
    assert HEAD.pieces.names[0] == "Head"
    assert {"Eye Left", "Eye Right", "Teeth", "Tongue", "Hair"} <= set(HEAD.pieces.names)
    assert np.isfinite(HEAD.shapes).all() and HEAD.faces.max() < len(HEAD.vertices)
    assert HEAD.pieces.uvs.min() > -0.2 and HEAD.pieces.uvs.max() < 1.2
    assert not HEAD.shapes[:, part("Hair")].any()
    for name, moved in zip(HEAD.names, HEAD.shapes, strict=True):
        assert np.abs(moved).max() > 0.05, name


def test_eyes_stay_balls_and_turn() -> None:
    own = HEAD.vertices[part("Eye Left")].astype(float)
    turned = own + shape("eyeLookOutLeft")[part("Eye Left")]
    for ball in (own, turned):
        _, radius = sphere(ball)
        away = np.linalg.norm(ball - sphere(ball)[0], axis=1)
        assert np.abs(away - radius).max() < 0.06 * radius
    pupil = own[:, 2].argmax()
    assert turned[pupil, 0] > own[pupil, 0] + 0.3
    assert not shape("eyeLookOutLeft")[part("Eye Right")].any()


def test_lids_close_in_front_of_the_eyes() -> None:
    skin = part("Head")
    shut = HEAD.vertices + shape("eyeBlinkLeft")
    ball = HEAD.vertices[part("Eye Left")]
    middle = ball.mean(0)
    front = ball[ball[:, 2] > middle[2]]
    for place in front[np.linalg.norm((front - middle)[:, :2], axis=1) < 1.0]:
        near = np.linalg.norm((shut[skin] - place)[:, :2], axis=1) < 0.3
        assert shut[skin][near, 2].max() > place[2] - 0.02


def test_somebody_else_differs() -> None:
    other = styled_head(np.array([2, 1, 0, 0, 0, 0, 0, 0], np.float32))
    assert np.abs(other.vertices - HEAD.vertices).max() > 0.3
    own = part("Eye Left")
    here, there = (head.vertices[own] - head.vertices[own].mean(0) for head in (HEAD, other))
    turn = nearest_rotation(there.T @ here)[0]
    size = np.linalg.norm(there) / np.linalg.norm(here)
    assert size == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(there, size * here @ turn.T, atol=1e-4, err_msg="eyes stay balls")


def test_a_rig_comes_in_parts() -> None:
    rig = small_head()
    head = head_in_parts(rig, rig.neutral)
    assert head.pieces is not None
    assert head.pieces.names == ["Head", "Eyes", "Teeth", "Tongue"]
    assert (head.pieces.piece == 2).sum() == (rig.parts == Part.TEETH).sum()


def test_pieces_come_back_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    head_file.write(path, HEAD)
    back = head_file.read(path)
    assert back.pieces is not None and HEAD.pieces is not None
    assert back.pieces.names == HEAD.pieces.names
    np.testing.assert_array_equal(back.pieces.piece, HEAD.pieces.piece)
    np.testing.assert_allclose(back.pieces.uvs, HEAD.pieces.uvs, atol=1e-3)
    wrong: list[Head] = [
        replace(HEAD, pieces=replace(HEAD.pieces, piece=HEAD.pieces.piece + 9)),
        replace(HEAD, pieces=replace(HEAD.pieces, uvs=HEAD.pieces.uvs * np.nan)),
    ]
    for head in wrong:
        head_file.write(path, head)
        with pytest.raises(InputError, match="do not fit together"):
            head_file.read(path)
    head_file.write(path, replace(HEAD, pieces=None))
    assert head_file.read(path).pieces is None
