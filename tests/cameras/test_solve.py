"""Cameras from footage that the tests draw, and from other programs' solves."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import clips
from helpers.command_line import backend
from helpers.shared import made_once
from PIL import Image

from backend.cameras.colmap.pairs import image_pairs
from backend.formats import capture
from backend.geometry.conventions import align_similarity, to_viewmat

SIZE, FOCAL, COUNT = (320, 240), 300.0, 16


def error_of(found: Path, truth: list[np.ndarray]) -> float:
    """Largest distance of a camera from its true place after alignment, as a share of the path."""
    frames = capture.read(found).frames
    ours = np.stack([f.camera_to_world[:3, 3] for f in frames])
    theirs = np.stack([truth[int(Path(f.source).stem)][:3, 3] for f in frames])
    scale, rotation, shift = align_similarity(ours, theirs)
    path = np.linalg.norm(np.diff(theirs, axis=0), axis=1).sum()
    return float(np.linalg.norm(scale * ours @ rotation.T + shift - theirs, axis=1).max() / path)


def solve(source: Path, output: Path, *more: str) -> dict:
    done = backend("cameras", "--input", source, "--output", output, "--preset", "fast", *more)
    assert done.returncode == 0, done.stderr
    return json.loads((output / "manifest.json").read_text())


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    folder = made_once(
        tmp_path_factory, "photos", lambda at: clips.write_photos(at, COUNT, SIZE, FOCAL)
    )
    return folder, [clips.camera_on_arc(i / (COUNT - 1)) for i in range(COUNT)]


@pytest.fixture(scope="session")
def solved(photos: tuple[Path, list[np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos' capture, to be read only."""
    lens = ("--focal-mm", str(36 * FOCAL / SIZE[0]))
    return (
        made_once(tmp_path_factory, "solved_photos", lambda at: solve(photos[0], at / "out", *lens))
        / "out"
    )


@pytest.mark.process
def test_photos_are_solved(photos: tuple[Path, list[np.ndarray]], solved: Path) -> None:
    truth, manifest = photos[1], json.loads((solved / "manifest.json").read_text())
    assert manifest["metrics"]["registered"] >= 15
    assert manifest["metrics"]["focal_px"] == pytest.approx(FOCAL, rel=0.02)
    assert error_of(solved, truth) < 0.01
    names = {p.name for p in solved.iterdir() if p.name != ".job"}
    assert names == {
        "manifest.json",
        "transforms.json",
        "images",
        "depths",
        "points3D.ply",
        "sparse",
        "tracks.npz",
    }
    first = capture.read(solved).frames[0]
    assert first.image.name == "0001.png"
    assert first.source in ("000.png", "001.png")


@pytest.mark.process
def test_solved_capture_is_read_back_as_colmap_and_as_transforms(
    solved: Path, tmp_path: Path
) -> None:
    """Our own sparse/0 through COLMAP's reader, our own transforms.json through nerfstudio's path:
    the same cameras.
    """
    shutil.copytree(solved, tmp_path / "a")
    model = tmp_path / "model"
    (tmp_path / "a" / "sparse").rename(tmp_path / "sparse")
    model.mkdir()
    (tmp_path / "sparse").rename(model / "sparse")
    (tmp_path / "a" / "images").rename(model / "images")
    solve(model, tmp_path / "b", "--no-depth")
    (model / "images").rename(tmp_path / "a" / "images")
    given = solve(tmp_path / "a", tmp_path / "d")  # with the points that it brings along
    assert (
        given["metrics"]["dense_points"] > 0
        and capture.read(tmp_path / "d").frames[0].depth is not None
    )
    (tmp_path / "a" / "points3D.ply").unlink()  # so that points are triangulated
    data = json.loads((tmp_path / "a" / "transforms.json").read_text())
    data.pop("ply_file_path")
    (tmp_path / "a" / "transforms.json").write_text(json.dumps(data))
    manifest = solve(tmp_path / "a", tmp_path / "c", "--no-depth")
    assert manifest["metrics"]["points"] > 100
    first = capture.read(tmp_path / "a").frames
    for other in (capture.read(tmp_path / "b").frames, capture.read(tmp_path / "c").frames):
        for x, y in zip(first, other, strict=True):
            np.testing.assert_allclose(x.camera_to_world, y.camera_to_world, atol=1e-5)
            np.testing.assert_allclose(x.K, y.K, atol=1e-3)


@pytest.mark.process
def test_given_cameras_with_distortion_are_undistorted(
    photos: tuple[Path, list[np.ndarray]], tmp_path: Path
) -> None:
    truth, folder = photos[1], tmp_path / "photos"
    shutil.copytree(photos[0], folder)
    frames = [
        {"file_path": f"{i:03d}.png", "transform_matrix": pose.tolist()}
        for i, pose in enumerate(truth)
    ]
    mask = np.full((120, 160), 255, np.uint8)  # half the pictures' size
    mask[:, :40] = 0
    Image.fromarray(mask).save(folder / "mask.tif")
    frames[3]["mask_path"] = "mask.tif"
    frames.append({"file_path": "gone.png", "transform_matrix": np.eye(4).tolist()})
    data = {"fl_x": FOCAL, "cx": 160, "cy": 120, "w": 320, "h": 240, "k1": 0.05, "frames": frames}
    (folder / "transforms.json").write_text(json.dumps(data))
    done = backend(
        "cameras", "--input", folder / "transforms.json", "--output", tmp_path / "out",
        "--preset", "fast", "--no-depth",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 of 17 cameras have no picture" in done.stderr
    found = capture.read(tmp_path / "out")
    assert len(found.frames) == 16
    assert not any(any(f.distortion) for f in found.frames)
    assert [f.source for f in found.frames if f.mask] == ["003.png"]
    carried = np.asarray(Image.open(found.frames[3].mask))
    assert carried.shape == (found.frames[3].height, found.frames[3].width)
    assert (carried[120, :70] == 0).all() and (carried[120, 90:-5] == 255).all()


@pytest.mark.process
def test_transparency_and_names_with_spaces_survive(
    photos: tuple[Path, list[np.ndarray]], tmp_path: Path
) -> None:
    """Cut-out pictures with a distorted lens: alpha is undistorted with the colours."""
    folder, truth = photos
    frames = []
    for i, pose in enumerate(truth[:8]):
        name = f"my photo {i}.png"
        image = Image.open(folder / f"{i:03d}.png").convert("RGBA")
        alpha = np.full((240, 320), 255, np.uint8)
        alpha[:, :100] = 0
        image.putalpha(Image.fromarray(alpha))
        image.save(tmp_path / name)
        frames.append({"file_path": name, "transform_matrix": pose.tolist()})
    data = {"fl_x": FOCAL, "cx": 160, "cy": 120, "w": 320, "h": 240, "k1": 0.05, "frames": frames}
    (tmp_path / "transforms.json").write_text(json.dumps(data))
    manifest = solve(tmp_path, tmp_path / "out", "--no-depth")
    assert manifest["metrics"]["points"] > 50
    first = capture.read(tmp_path / "out").frames[0]
    pixels = np.asarray(Image.open(first.image))
    assert pixels.shape[2] == 4
    assert pixels[100, 5, 3] == 0
    assert pixels[100, -5, 3] == 255
    assert first.source == "my photo 0.png"


@pytest.mark.process
def test_cameras_solved_frame_by_frame(tmp_path: Path) -> None:
    """What Blender's side hands over for a camera that was solved there: one pose a frame of the
    video.
    """
    truth = [clips.camera_on_arc(i / 15) for i in range(16)]
    clips.write_video(tmp_path / "a.mp4", [clips.ray_cast(pose, FOCAL, SIZE) for pose in truth])
    shared = {"fl_x": FOCAL, "fl_y": FOCAL, "cx": 160, "cy": 120, "w": 320, "h": 240}
    poses = [
        {"index": i, "transform_matrix": pose.tolist(), **shared} for i, pose in enumerate(truth)
    ]
    (tmp_path / "poses.json").write_text(json.dumps({"frames": poses}))
    manifest = solve(
        tmp_path / "a.mp4", tmp_path / "out", "--poses", str(tmp_path / "poses.json"), "--no-depth"
    )
    assert manifest["metrics"]["points"] > 100
    assert capture.read(tmp_path / "out").fps > 0
    for frame, pose in zip(capture.read(tmp_path / "out").frames, truth, strict=True):
        np.testing.assert_allclose(to_viewmat(frame.camera_to_world), to_viewmat(pose), atol=1e-6)


def test_pairs() -> None:
    names = [f"{i:03d}" for i in range(200)]
    for ordered in (True, False):
        pairs = image_pairs(names, ordered)
        assert len(pairs) == len(set(pairs)) < 4500
        assert all(a < b for a, b in pairs)
        assert {(names[i], names[i + 1]) for i in range(199)} <= set(pairs)
    assert len(image_pairs(names[:20], True)) == 190
