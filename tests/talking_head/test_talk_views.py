"""From where a talking head is seen without its footage, and how it turns upon its neck."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.formats.motion_file import Curve, Motion
from backend.protocol import InputError
from backend.talking_head import talk_views
from backend.talking_head.talk_verb import TalkOptions
from backend.talking_head.whole_head import neck

JOINT = np.array([0, -10, -1], np.float32)
STILL = np.eye(3)[None].repeat(4, 0)


def test_a_side_and_a_turntable() -> None:
    """Degrees to the person's left, x; up is y."""
    aside = talk_views.views(TalkOptions(yaw=60.0, size=100), 4, 25.0, STILL, JOINT)
    np.testing.assert_allclose(talk_views.yaws(aside), 60, atol=4)
    assert aside[0].width == 100
    table = talk_views.views(TalkOptions(turn=250.0), 4, 25.0, STILL, JOINT)
    np.testing.assert_allclose(np.diff(talk_views.yaws(table)), 10, atol=1)
    above = talk_views.views(TalkOptions(pitch=30.0), 1, 25.0, STILL[:1], JOINT)[0]
    assert (-above.rotation.T @ above.translation)[1] > 20
    for view in (*aside, *table, above):
        x, y, depth = view.project((JOINT[None] + [0, talk_views.LOW, 0]).astype(np.float32))[0]
        assert (x, y) == pytest.approx((view.width / 2, view.height / 2)) and depth > 50


def test_the_head_turns_as_the_motion_says() -> None:
    frames = np.arange(4, dtype=np.float32)
    curve = Curve("headYaw", "head", frames, np.array([0, 0.1, 0.2, 0.3], np.float32))
    names = ["jawOpen", *neck.NAMES]
    coefficients = np.zeros((4, 7), np.float32)
    turns = talk_views.head_turns(Motion(25.0, 3.0, [curve], ""), coefficients, names, True)
    np.testing.assert_allclose(neck.angles_of(turns)[:, 1], [0, 0.1, 0.2, 0.3], atol=1e-6)
    bent = talk_views.bent(coefficients, names, turns)
    np.testing.assert_allclose(bent[:, names.index("neckLeft")] * neck.FULL, [0, 0.1, 0.2, 0.3])
    again = talk_views.head_turns(None, bent, names, True)
    np.testing.assert_allclose(again, turns, atol=1e-6)
    assert (talk_views.head_turns(None, bent, names, False) == STILL).all()
    old = talk_views.bent(coefficients[:, :1], ["jawOpen"], turns)
    assert old.shape == (4, 1), "heads of earlier versions have no neck"
    view = talk_views.views(TalkOptions(), 4, 25.0, turns, JOINT)
    seen = [v.project(JOINT[None])[0] for v in view]
    np.testing.assert_allclose(seen, seen[:1] * 4, atol=1e-4)  # the joint stays where it is
    yaws = talk_views.yaws(view)
    assert (np.diff(yaws) < -4).all(), "who looks to the left is seen from the right"


def test_given_cameras_stand_in_blenders_axes(tmp_path: Path) -> None:
    """One before the face, along -y; the last one stays."""
    looking = np.eye(4)
    looking[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # OpenGL's camera, turned to look along y
    looking[:3, 3] = [0.02, -0.7, 0.05]
    path = tmp_path / "transforms.json"
    frame = {"file_path": "", "transform_matrix": looking.tolist()}
    path.write_text(json.dumps({"w": 400, "h": 200, "fl_x": 500.0, "frames": [frame]}))
    views = talk_views.views(TalkOptions(camera=str(path), size=200), 4, 25.0, STILL, JOINT)
    assert len(views) == 4 and (views[3].width, views[3].height) == (200, 100)
    x, y, depth = views[3].project(np.array([[2, 5, 0]], np.float32))[0]
    assert (x, y, depth) == pytest.approx((100, 50, 70))
    right = views[0].project(np.array([[2, 6, 0], [3, 5, 0]], np.float32))
    assert right[0, 1] < 50 and right[1, 0] > 100
    path.write_text("{}")
    with pytest.raises(InputError, match="lists no frames"):
        talk_views.views(TalkOptions(camera=str(path)), 4, 25.0, STILL, JOINT)


def test_a_picture_fills_the_frame(tmp_path: Path) -> None:
    Image.new("RGB", (300, 100), (9, 90, 200)).save(tmp_path / "wall.png")
    wall = talk_views.behind(TalkOptions(picture=str(tmp_path / "wall.png")), (64, 48))
    assert wall.shape == (48, 64, 3) and (wall == [9, 90, 200]).all()
    plain = talk_views.behind(TalkOptions(), (64, 48))
    assert (plain == talk_views.PLAIN).all()
    with pytest.raises(InputError):
        talk_views.behind(TalkOptions(picture=str(tmp_path / "gone.png")), (64, 48))
