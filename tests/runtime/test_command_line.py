"""The backend as a command: help, doctor, and every kind of bad input in one clear sentence with
exit status 1.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import clips
from helpers.command_line import backend, refusal
from PIL import Image

from backend.__main__ import make_parser
from backend.verbs import VERBS


@pytest.mark.process
def test_help_reads_well() -> None:
    top = backend("--help")
    assert top.returncode == 0
    for verb in ("cameras", "splats", "render", "doctor", "setup"):
        assert re.search(rf"^\s+{verb}\s+\w", top.stdout, re.M)


def test_every_verb_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        with pytest.raises(SystemExit, match="0"):
            make_parser().parse_args([verb, "--help"])
        assert "example" in capsys.readouterr().out, verb


@pytest.mark.process
def test_doctor() -> None:
    report = json.loads(backend("doctor", "--json").stdout)
    assert report["ready"]
    assert report["line"] in ("CPU ready", "CUDA ready")
    assert "torch" in report["versions"]
    assert "Splatsmith" in backend("doctor").stdout


@pytest.mark.process
def test_doctor_without_packages_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "pycolmap.py").write_text("raise ImportError('broken')")
    done = backend("doctor", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "pycolmap" in done.stdout
    assert "Set Up" in done.stdout


def no_file(folder: Path) -> list[str]:
    return ["cameras", "--input", str(folder / "nowhere.mp4")]


def empty_file(folder: Path) -> list[str]:
    (folder / "empty.mp4").touch()
    return ["cameras", "--input", str(folder / "empty.mp4")]


def audio_only(folder: Path) -> list[str]:
    clips.write_sound(folder / "sound.m4a")
    return ["cameras", "--input", str(folder / "sound.m4a")]


def one_frame(folder: Path) -> list[str]:
    clips.write_video(folder / "one.mp4", [clips.texture(64)])
    return ["cameras", "--input", str(folder / "one.mp4")]


def text_named_mp4(folder: Path) -> list[str]:
    (folder / "text.mp4").write_text("this is not a film\n" * 50)
    return ["cameras", "--input", str(folder / "text.mp4")]


def still_video(folder: Path) -> list[str]:
    clips.write_video(folder / "still.mp4", [clips.texture(128)] * 30)
    return ["cameras", "--input", str(folder / "still.mp4")]


def blank_photos(folder: Path) -> list[str]:
    for number in range(5):
        Image.new("RGB", (120, 90), (number * 20, 60, 60)).save(folder / f"{number}.png")
    return ["cameras", "--input", str(folder)]


def broken_photos(folder: Path) -> list[str]:
    clips.write_photos(folder, 4)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:500])
    return ["cameras", "--input", str(folder)]


def empty_folder(folder: Path) -> list[str]:
    return ["cameras", "--input", str(folder)]


def capture_with(change: Callable[[dict, Path], object]) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        clips.write_capture(folder / "capture", 4, (32, 24))
        path = folder / "capture" / "transforms.json"
        data = json.loads(path.read_text())
        change(data, folder / "capture")
        path.write_text(json.dumps(data))
        return ["splats", "--input", str(folder / "capture"), "--steps", "2"]

    return make


def set_nan(data: dict, _folder: Path) -> None:
    for frame in data["frames"]:
        frame["transform_matrix"][0][3] = float("nan")


def set_mirrored(data: dict, _folder: Path) -> None:
    for frame in data["frames"]:
        frame["transform_matrix"][0] = [-x for x in frame["transform_matrix"][0]]


def set_outside(data: dict, _folder: Path) -> None:
    data["frames"][0]["file_path"] = "../../../etc/passwd"


def set_zero_focal(data: dict, _folder: Path) -> None:
    data["fl_x"] = 0


def set_huge(data: dict, _folder: Path) -> None:
    data["w"] = data["h"] = 10**9


def drop_image(_data: dict, folder: Path) -> None:
    (folder / "images" / "002.png").unlink()


def not_json(folder: Path) -> list[str]:
    (folder / "transforms.json").write_text("{]")
    return ["splats", "--input", str(folder)]


def lying_ply(folder: Path) -> list[str]:
    clips.write_capture(folder / "capture", 3, (32, 24))
    header = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 1000000000000\nproperty float "
        "x\nend_header\n"
    )
    (folder / "lie.ply").write_bytes(header.encode() + bytes(100))
    return ["render", "--input", str(folder / "lie.ply"), "--capture", str(folder / "capture")]


def bad_background(folder: Path) -> list[str]:
    clips.write_capture(folder / "capture", 3, (32, 24))
    return [
        "render",
        "--input",
        str(folder / "x.ply"),
        "--capture",
        str(folder / "capture"),
        "--background",
        "mauve",
    ]


def cuda_without_cuda(folder: Path) -> list[str]:
    clips.write_capture(folder / "capture", 3, (32, 24))
    return ["splats", "--input", str(folder / "capture"), "--device", "cuda"]


BAD = [
    (no_file, "no file"), (empty_file, "empty"), (audio_only, "sound but no picture"), (one_frame,
    "only one frame"),
    (text_named_mp4, "not a video"), (still_video, "the same"),
    (broken_photos, "001.png"), (empty_folder, "no photos"), (capture_with(set_nan),
    "no usable pose"),
    (capture_with(set_mirrored), "mirrored"), (capture_with(set_outside), "outside"),
    (capture_with(set_zero_focal), "focal"),
    (capture_with(set_huge), "impossible"), (capture_with(drop_image), "002.png"), (not_json,
    "not valid JSON"),
    (lying_ply, "promises"), (bad_background, "mauve"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_input_gets_one_sentence(
    make: Callable[[Path], list[str]], words: str, tmp_path: Path
) -> None:
    source, output = tmp_path / "source", tmp_path / "output"
    source.mkdir()
    failure = refusal(*make(source), "--output", output)
    assert words in f"{failure.what} {failure.advice}"
    assert not output.exists(), "nothing half-written"


@pytest.mark.process
def test_photos_without_texture_are_refused_by_the_solver(tmp_path: Path) -> None:
    """Seen only by COLMAP, which works in a process of its own."""
    failure = refusal(*blank_photos(tmp_path), "--output", tmp_path / "output")
    assert "texture" in f"{failure.what} {failure.advice}"
    assert not (tmp_path / "output").exists()


@pytest.mark.process
def test_a_user_reads_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    done = backend(*no_file(tmp_path), "--output", tmp_path / "output")
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert len(errors) == 1 and "no file" in errors[0]
    assert "Traceback" not in done.stderr


def test_cuda_is_refused_in_words_where_there_is_none(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    failure = refusal(*cuda_without_cuda(tmp_path), "--output", tmp_path / "out")
    assert "CUDA can't be used" in failure.what


def test_setup_never_clears_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("precious")
    failure = refusal("setup", "--input", tmp_path / "home", "--output", tmp_path / "record")
    assert "was left alone" in failure.what
    assert (tmp_path / "home" / "thesis.txt").read_text() == "precious"


@pytest.mark.process
def test_broken_kernels_fall_back_to_torch(tmp_path: Path) -> None:
    clips.write_capture(tmp_path / "capture", 4, (32, 24))
    done = backend(
        "splats",
        "--input",
        tmp_path / "capture",
        "--output",
        tmp_path / "o",
        "--steps",
        "3",
        SPLATSMITH_KERNELS="none",
    )
    assert done.returncode == 0
    assert "plain torch" in json.loads((tmp_path / "o" / "manifest.json").read_text())["rasterizer"]


@pytest.mark.process
def test_strange_paths(tmp_path: Path) -> None:
    odd = tmp_path / "it's a “test” é漢字 🦊"
    clips.write_capture(odd / "capture", 4, (32, 24))
    done = backend(
        "splats", "--input", odd / "capture", "--output", odd / "out put", "--steps", "3"
    )
    assert done.returncode == 0, done.stderr
    rendered = backend(
        "render",
        "--input",
        odd / "out put" / "splats.ply",
        "--capture",
        odd / "capture",
        "--output",
        odd / "r",
        "--video",
        "12",
    )
    assert rendered.returncode == 0, rendered.stderr
    assert sorted(p.name for p in (odd / "r").glob("*.*") if not p.name.startswith(".")) == [
        "0001.png",
        "0002.png",
        "0003.png",
        "0004.png",
        "manifest.json",
        "video.mp4",
    ]
    assert np.asarray(Image.open(odd / "r" / "0001.png")).shape == (24, 32, 4)
    shutil.rmtree(odd)
