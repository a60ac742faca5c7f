"""The verb `convert`: names that say the format, folders and files, what is told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import backend, refusal, run
from helpers.random_splats import make

from backend.formats import splat_ply
from backend.formats.splat_notes import SplatNotes
from backend.formats.splats import files


@pytest.fixture
def source(tmp_path: Path) -> Path:
    splat_ply.write(tmp_path / "a.ply", make(60, 16))
    return tmp_path / "a.ply"


@pytest.mark.parametrize("ending", files.SUFFIXES)
def test_the_output_may_be_the_file(ending: str, source: Path, tmp_path: Path) -> None:
    if ending == ".gltf":
        assert "only read" in refusal("convert", "--input", source, "--output", tmp_path / "out",
                                      "--to", f"b{ending}").what  # fmt: skip
        return
    (tmp_path / "new").mkdir()
    output = tmp_path / "new" / (ending if ending == "meta.json" else f"b{ending}")
    done = run("convert", "--input", source, "--output", output)
    assert done.returncode == 0 and "60 splats" in done.stderr
    found = files.read(output)
    assert len(found) == 60 and found.sh_degree == min(3, files.format_of(output).degree)
    names = {p.name for p in output.parent.iterdir()}
    assert output.name in names and not any(n.startswith(".") for n in names)
    assert ending == "meta.json" or names == {output.name}


def test_a_file_is_replaced_and_stays_where_it_fails(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "b.spz"
    output.write_bytes(b"old")
    (tmp_path / "bad.spz").write_bytes(b"no splats")
    assert "bad.spz" in refusal("convert", "--input", tmp_path / "bad.spz", "--output", output).what
    assert output.read_bytes() == b"old"
    assert run("convert", "--input", source, "--output", output).returncode == 0
    assert len(files.read(output)) == 60
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ply", "b.spz", "bad.spz"]


def test_the_output_may_be_a_folder(source: Path, tmp_path: Path) -> None:
    done = run("convert", "--input", source, "--output", tmp_path / "out", "--to", "b.splat")
    assert done.returncode == 0
    assert len(files.read(tmp_path / "out/b.splat")) == 60
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert "colors that follow the view (degree 3)" in json.dumps(manifest)
    again = run("convert", "--input", tmp_path / "out/b.splat", "--output", tmp_path / "ply")
    assert again.returncode == 0
    assert len(splat_ply.read(tmp_path / "ply/splats.ply")) == 60
    whole = run("convert", "--input", tmp_path / "ply", "--output", tmp_path / "c.spz")
    assert whole.returncode == 0 and len(files.read(tmp_path / "c.spz")) == 60


def told(*arguments: str | Path) -> str:
    done = run(*arguments)
    assert done.returncode == 0
    return done.stderr


def test_what_is_lost_is_told(tmp_path: Path) -> None:
    a = make(60, 16)
    a.means[7] = np.nan
    a = replace(a, notes=SplatNotes(antialiased=True, blend="linear"))
    splat_ply.write(tmp_path / "a.ply", a)
    text = told("convert", "--input", tmp_path / "a.ply", "--output", tmp_path / "b.splat")
    for part in (
        "1 splat whose values are not finite",
        "degree 3",
        "label",
        "antialiased",
        "linear",
    ):
        assert part in text
    text = told("convert", "--input", tmp_path / "a.ply", "--output", tmp_path / "b.glb",
                "--degree", "1")  # fmt: skip
    assert "above degree 1, as asked" in text
    assert files.read(tmp_path / "b.glb").sh_degree == 1


@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_version_of_spz_is_chosen(version: int, source: Path, tmp_path: Path) -> None:
    import gzip

    output = tmp_path / "b.spz"
    run("convert", "--input", source, "--output", output, "--spz-version", str(version))
    data = output.read_bytes()
    data = gzip.decompress(data) if version < 4 else data
    assert data[:4] == b"NGSP" and data[4] == version


@pytest.mark.parametrize(
    ("name", "text"),
    [("../b.spz", "no file's name"), ("b.obj", "no splat file"), ("", "no file's name")],
)
def test_names_that_will_not_do(name: str, text: str, source: Path, tmp_path: Path) -> None:
    failure = refusal("convert", "--input", source, "--output", tmp_path / "o", "--to", name)
    assert text in failure.what


def test_places_that_will_not_do(source: Path, tmp_path: Path) -> None:
    failure = refusal("convert", "--input", source, "--output", tmp_path / "no/such/b.spz")
    assert "can't be written" in failure.what
    failure = refusal("convert", "--input", tmp_path / "none.spz", "--output", tmp_path / "b.ply")
    assert "There is no file" in failure.what


@pytest.mark.process
def test_as_a_user_starts_it(source: Path, tmp_path: Path) -> None:
    done = backend("convert", "--input", source, "--output", tmp_path / "b.sog")
    assert done.returncode == 0, done.stderr
    assert len(files.read(tmp_path / "b.sog")) == 60


@pytest.mark.parametrize("name", ["page.html", "PAGE.HTML"])
def test_a_web_page(name: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    done = run("convert", "--input", source, "--output", tmp_path / "new" / name)
    assert done.returncode == 0 and "a web page" in done.stderr and "label" in done.stderr
    text = (tmp_path / "new" / name).read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and f"<title>{name[:4]}</title>" in text
    assert [p.name for p in (tmp_path / "new").iterdir()] == [name]


def test_a_web_page_with_the_cameras_of_a_capture(source: Path, tmp_path: Path) -> None:
    """They say what is up, too: the path is level there."""
    record = {"fl_x": 90.0, "fl_y": 90.0, "w": 100, "h": 60}
    frames = []
    for i, angle in enumerate(np.linspace(0, 1, 5)):
        c, s = np.cos(angle), np.sin(angle)
        pose = np.eye(4)  # z up, looks at the origin
        pose[:3, :3] = np.stack([[c, s, 0], [0, 0, 1], [s, -c, 0]], 1)
        pose[:3, 3] = 4 * pose[:3, 2]
        frames.append({"file_path": f"{i}.png", "time": i / 5, "transform_matrix": pose.tolist()})
    (tmp_path / "capture").mkdir()
    file = tmp_path / "capture/transforms.json"
    file.write_text(json.dumps({**record, "fps": 5, "frames": frames}))
    output = tmp_path / "page.html"
    text = told("convert", "--input", source, "--output", output, "--capture", tmp_path / "capture")
    assert "roll" not in text
    page = output.read_text(encoding="utf-8")
    data = page.split('id="sse-bootstrap">')[1].split("</script>")[0]
    (track,) = json.loads(data)["settings"]["animTracks"]
    places = np.array(track["keyframes"]["values"]["position"]).reshape(5, 3)
    assert np.ptp(places[:, 1]) < 1e-5 < np.ptp(places[:, 0]) and track["duration"] == 0.8
    other = refusal("convert", "--input", source, "--output", tmp_path / "b.spz",
                    "--capture", tmp_path / "capture")  # fmt: skip
    assert "web pages" in other.what
    missing = refusal("convert", "--input", source, "--output", output, "--capture", tmp_path)
    assert "transforms.json" in missing.what
