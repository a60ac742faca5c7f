"""Several clips of one person: named, compared, fitted to one face, brought to one light."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.toy_rig import toy_rig

from backend.protocol import InputError
from backend.talking_head.fitting.fit import fit_clips, fit_rig
from backend.talking_head.fitting.fit_config import FaceFitConfig
from backend.talking_head.gaussian_head.exposure import relative_light
from backend.talking_head.gaussian_head.learn import chosen_frames, shared_frames
from backend.talking_head.pooled.likeness import difference
from backend.talking_head.pooled.sources import clip_paths
from backend.talking_head.rigs.correspondence import Correspondence
from backend.talking_head.rigs.drawing import portrait
from backend.talking_head.rigs.rig import Rig
from backend.talking_head.tracking.face_mesh import COUNT, LEFT_CORNER, RIGHT_CORNER
from backend.talking_head.tracking.track import FaceTrack

PERSON = np.array([1.0, -1, 0.5, 0.8], np.float32)


def toy_clip(rig: Rig, vertices: np.ndarray, size: int, frames: int, turn: float) -> FaceTrack:
    """A toy that turns by `turn` radians to each side, in a picture of its own size."""
    time = np.linspace(0, 2, frames)[:, None]
    coefficients = 0.5 + 0.5 * np.sin(3 * time + np.arange(len(rig.names)) + size)
    rest = rig.person(PERSON)
    points = np.zeros((frames, COUNT, 3), np.float32)
    for frame in range(frames):
        view = portrait(size, turn * np.sin(4 * time[frame, 0]), 0.1, 0.05, distance=70)
        points[frame] = view.project(rig.posed(rest, coefficients[frame])[vertices])
        points[frame, :, 2] *= view.focal / view.translation[2]
    return FaceTrack(
        points=points,
        scores=np.ones(frames, np.float32),
        times=np.arange(frames) / 25,
        width=size,
        height=size,
        faces=1,
    )


def toy_clips() -> tuple[Rig, Correspondence, list[FaceTrack]]:
    rig = toy_rig()
    vertices = np.random.default_rng(1).integers(0, len(rig.neutral), COUNT)
    vertices[LEFT_CORNER] = np.argmin(rig.neutral[:, 0])
    vertices[RIGHT_CORNER] = np.argmax(rig.neutral[:, 0])
    clips = [toy_clip(rig, vertices, 500, 30, 0.05), toy_clip(rig, vertices, 320, 20, 0.5)]
    return rig, Correspondence(vertices, np.zeros((COUNT, 3), np.float32), 0.0), clips


def test_clips_share_a_face_and_nothing_else() -> None:
    rig, where, clips = toy_clips()
    config = FaceFitConfig(
        field_of_view=2 * float(np.degrees(np.arctan(15 / 70))),
        pull=1e-5, smooth=1e-5, identity=1e-5, offsets=0.0, rounds=5, steps=60,
    )  # fmt: skip
    alone = fit_rig(clips[0], rig, where, config)
    both = fit_clips(clips, rig, where, config)
    np.testing.assert_array_equal(both[0].rest, both[1].rest)
    assert [len(m.times) for m in both] == [30, 20] and [m.width for m in both] == [500, 320]
    assert both[0].focal / both[1].focal == pytest.approx(500 / 320)
    truth = rig.person(PERSON)
    off = [difference(m.rest, truth) for m in (alone, both[0])]
    assert off[1] < off[0], "the one that turns tells more of the face"
    assert max(m.residual for m in both) < 6e-3
    one = fit_clips(clips[:1], rig, where, config)[0]
    np.testing.assert_array_equal(one.coefficients, alone.coefficients)


def test_faces_are_compared_as_wholes() -> None:
    face = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    moved = (2 * face @ turn.T + 5).astype(np.float32)
    assert difference(face, moved) < 1e-5
    assert difference(face, face * np.array([1, 1.2, 1], np.float32)) > 0.02


def test_videos_are_found_once_and_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("b10.mp4", "b2.MOV", "notes.txt", ".hidden.mp4"):
        (folder / name).write_bytes(b"x")
    single = tmp_path / "a.mp4"
    single.write_bytes(b"x")
    found = clip_paths(str(folder), f"{single}\n {folder}|{single}\n")
    assert [path.name for path in found.paths] == ["b2.MOV", "b10.mp4", "a.mp4"]
    assert "notes.txt" in found.told[0] and "b2.MOV" in found.told[1] and "a.mp4" in found.told[1]
    assert clip_paths(str(tmp_path / "gone.mp4")).paths == [tmp_path / "gone.mp4"], "said later"
    with pytest.raises(InputError, match=r"no video .*gone\.mp4"):
        clip_paths(str(single), str(tmp_path / "gone.mp4"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no video"):
        clip_paths(str(tmp_path / "empty"))


def test_frames_are_shared_by_length() -> None:
    seen = [np.ones(100, bool), np.ones(50, bool), np.zeros(10, bool)]
    seen[1][:10] = False
    numbers, kept = shared_frames(seen, 70, 6)
    assert [len(some) for some in numbers] == [50, 20, 0]
    many = [np.ones(50, bool)] * 8
    assert [len(some) for some in shared_frames(many, 80, 6)[0]] == [40, *[6] * 7]
    assert len(kept) == 6 and not set(kept) & set(numbers[0]) and numbers[1].min() >= 10
    alone, same = chosen_frames(seen[0], 70, 6)
    found, held = shared_frames(seen[:1], 70, 6)
    np.testing.assert_array_equal(found[0], alone)
    np.testing.assert_array_equal(held, same)


def test_light_is_told_by_what_both_show() -> None:
    random = np.random.default_rng(2)
    known = random.uniform(0.1, 0.6, (3, 80, 3)).astype(np.float32)
    known[:] = known[:1]
    gains = np.array([0.7, 0.8, 1.3], np.float32)
    other = known[:2] * gains
    other[:, :20] = random.uniform(0.1, 0.9, (2, 20, 3))  # another cap
    other[:, 70:] = np.nan
    torch.testing.assert_close(
        relative_light(other, known), torch.from_numpy(gains), atol=0.02, rtol=0
    )
    nothing = np.full_like(known, np.nan)
    assert relative_light(nothing, known).tolist() == [1, 1, 1]
    assert relative_light(known * 0, known).tolist() == [1, 1, 1]


def test_a_gap_in_one_clip_is_filled_from_that_clip() -> None:
    rig, where, clips = toy_clips()
    gap = replace(clips[1], points=clips[1].points.copy())
    gap.points[:5] = np.nan
    both = fit_clips([clips[0], gap], rig, where, FaceFitConfig(rounds=3, offsets=0.0))
    np.testing.assert_array_equal(both[1].coefficients[0], both[1].coefficients[5])
