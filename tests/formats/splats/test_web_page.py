"""Web pages: one file that opens from the disk, asks for nothing, and shows what we would."""

import json
import re
import socket
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import browser
from helpers.random_splats import make
from helpers.splat_renders import psnr, scene

from backend.formats import splat_ply
from backend.formats.capture_types import Frame
from backend.formats.splat_arrays import SplatArrays, joined, take
from backend.formats.splat_moves import moved
from backend.formats.splat_notes import SplatNotes
from backend.formats.splats import web_page
from backend.formats.splats.axes import placed
from backend.formats.splats.page_cameras import path_of
from backend.formats.splats.web_page import Page
from backend.gaussians.frame_views import intrinsics_at, viewmat_of
from backend.gaussians.model import from_arrays
from backend.gaussians.options import options_for
from backend.gaussians.rasterize import rasterize
from backend.geometry.conventions import from_viewmat
from backend.protocol import InputError

WIDTH, HEIGHT = 400, 300
chromium = pytest.mark.skipif(browser.PROGRAM is None, reason="no Chromium here")


def frames_around(
    count: int = 4, *, up: np.ndarray | None = None, roll: float = 0.0
) -> list[Frame]:
    """Cameras around the origin that look at it, level where `up` is up (y down if not told)."""
    frames, up = [], np.array([0.0, -1.0, 0.0]) if up is None else up
    side = np.cross(up, [0.3, 0.2, 1.0])
    side /= np.linalg.norm(side)
    for angle in np.linspace(0, 4, count):
        eye = 3.2 * (np.sin(angle) * side + np.cos(angle) * np.cross(side, up) + 0.3 * up)
        z = -eye / np.linalg.norm(eye)
        x = np.cross(z, up)
        x /= np.linalg.norm(x)
        y = np.cross(z, x)
        c, s = np.cos(roll), np.sin(roll)
        view = np.eye(4)
        view[:3, :3] = c * x + s * y, c * y - s * x, z
        view[:3, 3] = -view[:3, :3] @ eye
        frames.append(
            Frame(
                image=Path("a.png"),
                camera_to_world=from_viewmat(view),
                fl_x=1.1 * WIDTH,
                fl_y=1.1 * WIDTH,
                cx=WIDTH / 2,
                cy=HEIGHT / 2,
                width=WIDTH,
                height=HEIGHT,
                time=float(angle),
            )
        )
    return frames


@torch.no_grad()
def ours(a: SplatArrays, frame: Frame) -> torch.Tensor:
    model = from_arrays(a)
    drawn = rasterize(
        model.means, model.quats, model.scales, model.opacities, model.sh(model.sh_degree),
        viewmat_of(frame)[None], intrinsics_at(frame, WIDTH, HEIGHT)[None], WIDTH, HEIGHT,
        sh_degree=model.sh_degree, backgrounds=torch.zeros(1, 3), options=options_for(a.notes),
    )  # fmt: skip
    return drawn.image[0].clamp(0, 1)


def settings_of(page: Path) -> dict[str, Any]:
    found = re.search(r'id="sse-bootstrap">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)
    assert found
    settings: dict[str, Any] = json.loads(found.group(1))["settings"]
    return settings


def turned(degrees: float, scale: float = 1.0) -> np.ndarray:
    """(4, 4) y down to Z up, leaning, of another size, elsewhere."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(4)
    z_up = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    matrix[:3, :3] = scale * z_up @ [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    matrix[:3, 3] = 2, -1, 0.5
    return matrix


KINDS: dict[str, dict[str, Any]] = {
    "as files are": {},
    "told what is up": {"upright": turned(25, 1.7)},
    "Z up already": {"upright": np.eye(4)},
    "upside down": {"upright": turned(180, 0.2)},
    "antialiased": {"antialiased": True},
}


@chromium
@pytest.mark.process
@pytest.mark.parametrize("kind", KINDS)
def test_it_shows_what_we_draw(kind: str, tmp_path: Path) -> None:
    """In Chromium, from the disk: start view and path, at least 30 dB; nothing is asked for."""
    a = replace(scene(), notes=SplatNotes(**KINDS[kind]))
    up = np.linalg.inv(placed(a)[:3, :3])[:, 1]
    frames = frames_around(up=up / np.linalg.norm(up))
    page = tmp_path / "page.html"
    assert web_page.write(page, a, Page(title=kind, cameras=path_of(frames, 0))) == ()
    with browser.opened(page, WIDTH, HEIGHT) as window:
        for frame in frames:
            window.value(f"window.scrubTo({frame.time})")
            window.value("new Promise(done => setTimeout(done, 300))")
            picture = torch.tensor(window.picture() / 255, dtype=torch.float32)
            assert psnr(picture, ours(a, frame)) > 30
        assert [address.split("?")[0] for address in window.asked] == [page.as_uri()]
        assert not window.said
        assert window.value("document.title") == kind


@chromium
@pytest.mark.process
def test_whatever_its_address_says_it_stays_alone(tmp_path: Path) -> None:
    """Its own picture, title and all, though names hold markup and the address asks for others."""
    page = tmp_path / "page.html"
    title = "</title><script>window.bad = 1</script> & <!-- $& \\u003c"
    web_page.write(page, take(scene(), np.arange(500)), Page(title=title))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        other = f"http://127.0.0.1:{server.getsockname()[1]}"
        query = f"?noui&webgl&skybox={other}/a.png&poster={other}/b.png&settings={other}/c.json"
        with browser.opened(page, WIDTH, HEIGHT, query) as window:
            assert window.value("document.title") == title and window.value("window.bad") is None
            first = window.picture()
            window.value("new Promise(done => setTimeout(done, 1500))")
            assert (window.picture() == first).all() and first.std() > 5  # it stands still
            assert any("violates" in text for text in window.said)
        with pytest.raises(BlockingIOError):
            server.accept()  # nobody came


def test_the_page_names_nothing_outside(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    web_page.write(page, make(30), Page(title="a"))
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(src|href)\s*=\s*"(?!data:)[^"$]', text.split("<script", 1)[0])
    assert "connect-src data: blob:;" in text and "default-src 'none'" in text
    assert "Permission is hereby granted" in text and "PlayCanvas" in text
    assert "sourceMappingURL" not in text


def test_losses_are_named(tmp_path: Path) -> None:
    frames = frames_around(5)
    odd = [
        replace(frames_around(5, roll=0.2)[0], time=0.0),
        replace(frames[1], distortion=(0.1, 0, 0, 0, 0, 0)),
        replace(frames[2], cx=10.0),
        replace(frames[3], fl_y=500.0),
        replace(frames[4], time=frames[3].time),
    ]
    a = replace(make(30), notes=SplatNotes(blend="linear"))
    page = tmp_path / "page.html"
    lost = web_page.write(page, a, Page(title="a", cameras=path_of(odd, 0)))
    for part in ("label", "linear light", "distortion (1 of 5", "not centered (1 of 5",
                 "not square (1 of 5", "1 of 5 cameras, at a time", "roll of 1 of 4"):  # fmt: skip
        assert any(part in text for text in lost), part
    with pytest.raises(InputError, match="no splats"):
        web_page.write(page, take(a, np.zeros(30, bool)), Page(title="a"))


@pytest.mark.parametrize(
    ("times", "fps", "expected"),
    [
        ([2.0, 2.5, 4.0, 4.1], 0, [0, 0.5, 2, 2.1]),  # true times, a gap in them
        ([4.0, 1.0, 3.0, 2.0], 0, [0, 1, 2, 3]),  # in any order
        ([None] * 4, 8, [0, 0.125, 0.25, 0.375]),
        ([None] * 4, 0, [0, 1, 2, 3]),
        ([0.0, None, 1.0, 2.0], 0, [0, 1, 2, 3]),
    ],
)
def test_the_path_keeps_true_time(
    times: list[float | None], fps: float, expected: list[float], tmp_path: Path
) -> None:
    frames = [replace(f, time=t) for f, t in zip(frames_around(4), times, strict=True)]
    path = path_of(frames, fps)
    np.testing.assert_allclose(path.seconds, expected)
    web_page.write(tmp_path / "a.html", make(30), Page(title="a", cameras=path))
    settings = settings_of(tmp_path / "a.html")
    (track,) = settings["animTracks"]
    assert settings["startMode"] == "animTrack" and track["duration"] == expected[-1]
    keys = np.array(track["keyframes"]["times"]) / track["frameRate"]
    np.testing.assert_allclose(keys, expected, atol=1e-6)
    assert len(track["keyframes"]["values"]["position"]) == 12


def test_a_path_of_no_time_is_a_start_view(tmp_path: Path) -> None:
    frames = [replace(f, time=1e-9 * i) for i, f in enumerate(frames_around(3))]
    page = Page(title="a", cameras=path_of(frames, 30))
    assert any("too short" in text for text in web_page.write(tmp_path / "a.html", make(9), page))
    assert settings_of(tmp_path / "a.html")["animTracks"] == []


def test_paths_go_round_or_there_and_back(tmp_path: Path) -> None:
    frames = frames_around(6)
    for chosen, mode in ((frames, "pingpong"), ([*frames, replace(frames[0], time=5.0)], "repeat")):
        page = Page(title="a", cameras=path_of(chosen, 0))
        web_page.write(tmp_path / "a.html", make(30), page)
        assert settings_of(tmp_path / "a.html")["animTracks"][0]["loopMode"] == mode


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (500, 500)])
def test_the_angle_is_that_of_the_longer_side(size: tuple[int, int], tmp_path: Path) -> None:
    width, height = size
    frame = replace(
        frames_around(1)[0], width=width, height=height, cx=width / 2, cy=height / 2,
        fl_x=1000.0, fl_y=1000.0,
    )  # fmt: skip
    web_page.write(tmp_path / "a.html", make(30), Page(title="a", cameras=path_of([frame], 0)))
    settings = settings_of(tmp_path / "a.html")
    expected = np.rad2deg(2 * np.arctan(max(size) / 2000))
    assert settings["cameras"][0]["initial"]["fov"] == pytest.approx(expected, abs=1e-3)
    assert settings["animTracks"] == [] and settings["startMode"] == "default"


def test_without_cameras_most_of_it_is_in_view(tmp_path: Path) -> None:
    """Seen from before it and above, strays and surroundings apart."""
    a = replace(scene(), notes=SplatNotes(upright=turned(0)))
    far = replace(a, means=a.means * 500)
    marks = np.array([0, 1], np.uint8)
    near, away = (
        replace(part, extra={"surroundings": np.full(len(a), mark)})
        for part, mark in zip((a, far), marks, strict=True)
    )
    both = joined([near, away])
    lost = web_page.write(tmp_path / "a.html", both, Page(title="a"))
    assert lost == ("the properties surroundings",)
    pose = settings_of(tmp_path / "a.html")["cameras"][0]["initial"]
    eye, target = np.array(pose["position"]), np.array(pose["target"])
    means = moved(a, placed(a)).means
    forward = (target - eye) / np.linalg.norm(target - eye)
    ahead = (means - eye) @ forward
    aside = np.linalg.norm(means - eye - ahead[:, None] * forward, axis=1)
    assert (aside < ahead * np.tan(np.deg2rad(18))).mean() > 0.8
    assert forward[2] < -0.5 and -0.6 < forward[1] < -0.1


def test_it_takes_little_memory(tmp_path: Path) -> None:
    """Reading and writing together: three times the file's size at most."""
    splat_ply.write(tmp_path / "a.ply", scene(200_000))
    size = (tmp_path / "a.ply").stat().st_size
    tracemalloc.start()
    try:
        page = Page(title="a", cameras=path_of(frames_around(9), 0))
        web_page.write(tmp_path / "a.html", splat_ply.read(tmp_path / "a.ply"), page)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 3 * size
