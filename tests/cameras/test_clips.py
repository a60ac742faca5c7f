"""Whole clips through the command line: what is solved, what only turns, what is refused, and that
masks are kept to.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import clips, ray_world
from helpers.command_line import backend, refusal
from helpers.ray_world import Box, look_at
from helpers.shared import made_once

from backend.formats import capture, depth_exr, tracks_file
from backend.geometry.conventions import align_similarity

SIZE, FOCAL, FRAMES = (240, 180), 220.0, 12


def orbit(share: float) -> np.ndarray:
    angle = np.radians(-115 + 45 * share)
    return look_at(
        np.array([4.2 * np.cos(angle), 4.2 * np.sin(angle), 1.9 + 0.3 * share]),
        np.array([0, 0, 0.8]),
    )


def turn(share: float) -> np.ndarray:
    angle = 0.6 * (share - 0.5)
    position = np.array([0.0, -4.5, 1.6])
    return look_at(position, position + np.array([np.sin(angle), np.cos(angle), -0.1]))


def film(path: Path, poses: list[np.ndarray], moving: bool = False) -> list[np.ndarray]:
    """Writes the video; where the moving box was, frame by frame (H, W) bool."""
    boxes = [
        (Box((-1.5 + 2.2 * s, -2.4, 0), (-0.5 + 2.2 * s, -2.0, 1.6), 12),)
        for s in np.linspace(0, 1, len(poses))
    ]
    still, images, masks = ray_world.make_room(0), [], []
    for pose, box in zip(poses, boxes, strict=True):
        world = ray_world.World(still.things + (box if moving else ()), still.textures)
        images.append(
            (ray_world.render_image(world, pose, FOCAL, SIZE) * 255).clip(0, 255).astype(np.uint8)
        )
        rays = ray_world.pixel_rays(FOCAL, SIZE) @ pose[:3, :3].T.astype(np.float32)
        owner = ray_world.cast(world, pose[:3, 3].astype(np.float32), rays)[2]
        masks.append((owner == len(still.things)).reshape(SIZE[1], SIZE[0]))
    clips.write_video(path, images)
    return masks


@pytest.fixture(scope="session")
def orbited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """A clip that every solver can solve, and its cameras."""
    truth = [orbit(s) for s in np.linspace(0, 1, FRAMES)]
    folder = made_once(tmp_path_factory, "orbited", lambda at: film(at / "clip.mp4", truth))
    return folder / "clip.mp4", truth


def solve(video: Path, output: Path, *more: str) -> dict:
    done = backend("cameras", "--input", video, "--output", output, "--preset", "fast", *more)
    assert done.returncode == 0, done.stderr
    return json.loads((output / "manifest.json").read_text())


def error_of(folder: Path, truth: list[np.ndarray]) -> float:
    frames = capture.read(folder).frames
    ours = np.stack([f.camera_to_world[:3, 3] for f in frames])
    theirs = np.stack([truth[round((f.time or 0) * 12)][:3, 3] for f in frames])
    scale, rotation, shift = align_similarity(ours, theirs)
    off = np.linalg.norm(scale * ours @ rotation.T + shift - theirs, axis=1)
    return float(off.max() / np.linalg.norm(np.diff(theirs, axis=0), axis=1).sum())


@pytest.mark.process
def test_a_clip_is_solved_with_verdict_depth_points_and_tracks(
    orbited: tuple[Path, list[np.ndarray]], tmp_path: Path
) -> None:
    clip, truth = orbited
    manifest = solve(clip, tmp_path / "out")
    assert manifest["verdict"]["level"] == "solved", manifest["verdict"]
    assert error_of(tmp_path / "out", truth) < 0.01
    assert manifest["metrics"]["focal_px"] == pytest.approx(FOCAL, rel=0.03)
    assert [p["image"] for p in manifest["pictures"]] == [
        f.image.name for f in capture.read(tmp_path / "out").frames
    ]
    assert min(p["confidence"] for p in manifest["pictures"]) > 0.3
    assert capture.read(tmp_path / "out").fps == pytest.approx(12), "as the video plays"
    frames = capture.read(tmp_path / "out").frames
    world, scale = ray_world.make_room(0), []
    for frame in frames[::5]:
        assert frame.depth is not None
        depth = depth_exr.read(frame.depth)
        true = ray_world.depth(
            world, truth[round((frame.time or 0) * 12)], FOCAL, depth.shape[::-1]
        )
        scale.append(true / depth)
    relative = np.concatenate([s.ravel() for s in scale])
    relative /= np.median(relative)
    assert np.abs(1 / relative - 1).mean() < 0.08
    assert manifest["metrics"]["dense_points"] > 2000
    rows = tracks_file.read(tmp_path / "out" / "tracks.npz")
    assert rows[:, 0].max() <= len(frames) and (rows[:, 2:] > 0).all() and (rows[:, 2:] < 1).all()


@pytest.mark.process
def test_a_turning_camera_is_named_and_splats_refuse_it(tmp_path: Path) -> None:
    film(tmp_path / "pan.mp4", [turn(s) for s in np.linspace(0, 1, 12)])
    manifest = solve(tmp_path / "pan.mp4", tmp_path / "out")
    assert manifest["verdict"]["kind"] == "turning" and "no depth" in manifest["summary"]
    assert manifest["metrics"]["focal_px"] == pytest.approx(FOCAL, rel=0.03)
    assert not (tmp_path / "out" / "depths").exists()
    failure = refusal("splats", "--input", tmp_path / "out", "--output", tmp_path / "splats")
    assert "only turns" in failure.what


@pytest.mark.process
def test_masks_keep_moving_things_out_and_come_along(tmp_path: Path) -> None:
    truth = [orbit(s) for s in np.linspace(0, 1, FRAMES)]
    masks = film(tmp_path / "clip.mp4", truth, moving=True)
    (tmp_path / "masks").mkdir()
    for number, mask in enumerate(masks, 1):
        cv2.imwrite(
            str(tmp_path / "masks" / f"{number:04d}.png"), np.where(mask, 0, 255).astype(np.uint8)
        )
    manifest = solve(
        tmp_path / "clip.mp4",
        tmp_path / "out",
        "--masks",
        str(tmp_path / "masks"),
        "--solver",
        "straight",
        "--no-depth",
    )
    assert error_of(tmp_path / "out", truth) < 0.01
    assert manifest["solver"].split()[-1] == "paths", "asked for alone"
    assert manifest["verdict"]["evidence"]["inliers"] > 0.8
    frame = capture.read(tmp_path / "out").frames[3]
    assert frame.mask is not None
    np.testing.assert_array_equal(cv2.imread(str(frame.mask), 0) == 0, masks[3])
    given = ("--input", tmp_path / "clip.mp4", "--output", tmp_path / "x")
    failure = refusal("cameras", *given, "--masks", tmp_path / "none")
    assert "no folder of masks" in failure.what


@pytest.mark.process
def test_a_still_camera_and_a_known_lens(
    orbited: tuple[Path, list[np.ndarray]], tmp_path: Path
) -> None:
    film(tmp_path / "still.mp4", [orbit(0.5)] * 8)
    refusal("cameras", "--input", tmp_path / "still.mp4", "--output", tmp_path / "a")
    millimetres = FOCAL / SIZE[0] * 36
    manifest = solve(
        orbited[0],
        tmp_path / "b",
        "--focal-mm",
        str(millimetres),
        "--lock-focal",
        "--solver",
        "global",
        "--no-depth",
    )
    assert manifest["metrics"]["focal_px"] == pytest.approx(FOCAL, rel=1e-6)
    assert error_of(tmp_path / "b", orbited[1]) < 0.02
    assert manifest["solver"].lower().split()[-1] == "global", "asked for alone"


@pytest.mark.process
def test_flowmap_can_be_asked_for_alone(
    orbited: tuple[Path, list[np.ndarray]], tmp_path: Path
) -> None:
    clip, truth = orbited
    more = ("--solver", "flowmap", "--no-depth", "--frames", "8")  # its work grows with them
    manifest = solve(clip, tmp_path / "out", *more)
    assert error_of(tmp_path / "out", truth) < 0.02
    assert manifest["solver"].lower().split()[-1] == "flowmap"
