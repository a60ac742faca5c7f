"""Captures, COLMAP models, and what passes as JSON: requests, events, words, manifests."""

import json
import struct
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from backend import events, protocol, verbs
from backend.cameras.colmap import camera_list, gate, solved
from backend.cameras.colmap.colmap_command import ColmapTask
from backend.cameras.footage import posed
from backend.formats import capture, click_lines, colmap_names, splat_notes, words_lines
from backend.formats.words_lines import Question, Scores
from backend.runtime import folder as job_folder

from .target import Target, several

POSE = [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
LENS = {"fl_x": 30.0, "fl_y": 31.0, "cx": 20.0, "cy": 15.0, "w": 40, "h": 30, "k1": 0.0}


def _capture(folder: Path) -> None:
    frames = []
    for number in range(3):
        name = f"{number}.png"
        Image.new("RGB", (40, 30)).save(folder / name)
        frames.append({"file_path": name, "transform_matrix": POSE, "colmap_im_id": number})
    record = {"camera_model": "OPENCV", **LENS, "frames": frames, "fps": 24.0, "aabb_scale": 1}
    record["applied_transform"] = POSE[:3]
    (folder / "transforms.json").write_text(json.dumps(record))


def _posed(folder: Path) -> None:
    frames = [{"index": i, "transform_matrix": POSE, **LENS} for i in range(4)]
    (folder / "p.json").write_text(json.dumps({"frames": frames}))


def _text_model(folder: Path) -> None:
    (folder / "cameras.txt").write_text(
        "# a\n1 PINHOLE 40 30 30 31 20 15\n2 OPENCV 4 3 3 3 2 1 0 0 0 0\n"
    )
    lines = (f"{i} 1 0 0 0 {i} 0 0 1 a {i}.png\n10 11 1 12 13 -1\n" for i in (1, 2, 3))
    (folder / "images.txt").write_text("# b\n" + "".join(lines))
    (folder / "points3D.txt").write_text("# c\n1 0 0 5 255 0 0 0.5 1 0 2 0 3 0\n")


def _binary_model(folder: Path) -> None:
    camera = struct.pack("<IiQQ4d", 1, 1, 40, 30, 30, 31, 20, 15)
    (folder / "cameras.bin").write_bytes(struct.pack("<Q", 1) + camera)
    body = b""
    for i in (1, 2, 3):
        body += struct.pack("<I7dI", i, 1, 0, 0, 0, i, 0, 0, 1) + f"{i}.png".encode() + b"\0"
        body += struct.pack("<QddQ", 1, 10, 11, 1)
    (folder / "images.bin").write_bytes(struct.pack("<Q", 3) + body)
    point = struct.pack("<Q3d3BdQ", 1, 0, 0, 5, 255, 0, 0, 0.5, 3)
    tracks = b"".join(struct.pack("<II", i, 0) for i in (1, 2, 3))
    (folder / "points3D.bin").write_bytes(struct.pack("<Q", 1) + point + tracks)


def _read_model(folder: Path) -> None:
    """As the COLMAP process reads it, which is one of its own because COLMAP may abort."""
    colmap_names.is_model(folder)
    colmap_names.image_names(folder)
    camera_list.unknown_model(folder)
    with tempfile.TemporaryDirectory() as work:
        task = ColmapTask(
            kind="model", images=str(folder), work=work, output=work, names=[], model=str(folder)
        )
        gate.read_model(task)


def _names(folder: Path) -> None:
    """What the add-on reads of a model in Blender itself."""
    colmap_names.image_names(folder)
    camera_list.unknown_model(folder)


def _request(folder: Path) -> None:
    verb = verbs.VERBS["splats"]
    request = protocol.Request(
        verb="splats", input="/a", options=verb.make_options({}), context={"a": [1, None]}
    )
    (folder / "request.json").write_text(request.to_json())


def _events(folder: Path) -> None:
    told = (
        events.Hello(protocol.PROTOCOL, 1, "0.1.0", "cpu"),
        events.Progress(1, 10, 2.0, {"psnr": 3.0}),
        events.Stage("train", 1, 2),
        events.Failure("INPUT", "what", "advice"),
    )
    (folder / "e.jsonl").write_bytes(b"".join(events.encode(e) for e in told))


def _decode_events(path: Path) -> None:
    for line in path.read_bytes().split(b"\n"):
        events.decode(line)


def _words(folder: Path) -> None:
    asked = Question(id=1, folder="/a", prompt="a chair", model="m")
    lines = (asked, Scores(id=1, prompts=["a"], objects=[[0.5]]))
    click = click_lines.Click(
        id=2, splats="/a.ply", sam="/s", viewmat=[1.0] * 16, lens=[9.0] * 4, size=[4, 3],
        points=[[1.0, 2.0]], labels=[1], level="thing", result="/r",
    )  # fmt: skip
    clicks = (click, click_lines.Clicked(id=2, count=3))
    (folder / "w.jsonl").write_bytes(
        b"".join(words_lines.encode_words(line) for line in lines)
        + b"".join(click_lines.encode_click(line) for line in clicks)
    )


def _decode_words(path: Path) -> None:
    for line in path.read_bytes().split(b"\n"):
        words_lines.decode_question(line)
        words_lines.decode_scores(line)
        click_lines.decode_click(line)
        click_lines.decode_clicked(line)


def _manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps({"verb": "splats", "files": ["a.ply"]}))


def _solved(folder: Path) -> None:
    solved.Solved(
        frames=np.arange(2),
        viewmats=np.zeros((2, 4, 4)),
        focals=np.ones(2),
        radial=np.zeros(2),
    ).save(folder / "s.npz")


def _notes(path: Path) -> None:
    splat_notes.notes_of(path.read_text("utf-8", "replace").splitlines())


def _note_lines(folder: Path) -> None:
    notes = splat_notes.SplatNotes(antialiased=True, blend="linear")
    (folder / "n.txt").write_text("\n".join(splat_notes.comments_of(notes)))


TARGETS = (
    Target(name="capture", file="transforms.json", make=_capture, read=capture.read, share=2),
    Target(name="posed", file="p.json", make=_posed, read=lambda path: posed.read(path, 3)),
    *several("colmap", ("cameras.txt", "images.txt", "points3D.txt"), _text_model, _read_model),
    *several("colmap", ("cameras.bin", "images.bin", "points3D.bin"), _binary_model, _read_model),
    *several("colmap-names", ("images.txt", "cameras.txt"), _text_model, _names),
    *several("colmap-names", ("images.bin", "cameras.bin"), _binary_model, _names),
    Target(
        name="request", file="request.json", make=_request,
        read=lambda path: verbs.read_request(path.read_text("utf-8", "replace")),
    ),
    Target(name="events", file="e.jsonl", make=_events, read=_decode_events),
    Target(name="words", file="w.jsonl", make=_words, read=_decode_words),
    Target(name="solved", file="s.npz", make=_solved, read=solved.load),
    Target(name="notes", file="n.txt", make=_note_lines, read=_notes, share=0.5),
    *several("manifest", ("manifest.json",), _manifest, job_folder.read_manifest),
)  # fmt: skip
