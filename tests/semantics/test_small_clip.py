"""A CLIP that is trained here, in seconds, on rooms that are drawn here: a real checkpoint that
knows a little.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import furnished_room, small_clip
from helpers.command_line import run
from helpers.furnished_room import CLASSES

from backend.formats import semantics_file
from backend.semantics.regions import torchvision_shim
from backend.semantics.teachers import open_clip_teacher
from backend.semantics.view_features import without_tiny

torchvision_shim.make_importable()
pytest.importorskip("open_clip")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "small"
    crops = small_clip.crops(furnished_room.make(40 + seed, views=8) for seed in range(4))
    small_clip.train(
        crops,
        path,
        small_clip.SmallClipConfig(width=12, embed_dim=48, batch=48, steps=70, varied=0.3),
    )
    return path


@pytest.mark.whole
def test_it_names_what_it_was_not_shown(folder: Path) -> None:
    teacher = open_clip_teacher.load(str(folder), torch.device("cpu"))
    room, words = furnished_room.make(60, views=6), teacher.encode_text(CLASSES)
    right = []
    for image, owners in zip(room.images, room.owners, strict=True):
        labels, kept = without_tiny(owners.astype(np.int32), len(room.classes))
        found = (teacher.encode_regions(image, labels, len(kept)) @ words.T).argmax(1)
        right += (found == room.classes[kept]).tolist()
    assert np.mean(right) > 0.15, "chance is 1 in 14: 0.07"


@pytest.mark.whole
def test_words_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    """Few photographs, so the splats are looked at from in between too; then prompts of every
    kind.
    """
    room = tmp_path / "room"
    furnished_room.write(furnished_room.make(60, views=6, pieces=6), room)
    arguments = (
        "--capture",
        room / "capture",
        "--model",
        folder,
        "--preset",
        "fast",
        "--views",
        "9",
        "--output",
        tmp_path / "out",
    )
    done = run("segment", "--input", room / "splats.ply", *arguments)
    assert done.returncode == 0, done.stderr
    found = semantics_file.read(tmp_path / "out" / semantics_file.NAME)
    assert (
        found.features.shape[1] == 48
        and found.model == str(folder)
        and (np.abs(found.features).sum(1) > 0).mean() > 0.7
    )
    many = "; ".join(f"thing {i}" for i in range(200))
    for number, prompt in enumerate(("floor", "沙发，床；灯", many, "lamp, light; rug -floor")):
        out = tmp_path / f"chosen{number}"
        done = run(
            "select",
            "--input",
            tmp_path / "out",
            "--prompt",
            prompt,
            "--threshold",
            "0",
            "--output",
            out,
        )
        assert done.returncode == 0, done.stderr
        scores = json.loads((out / "selection.json").read_text())
        assert len(scores) == (1, 2, 200, 2)[number] and all(
            0 <= v <= 1 for row in scores for v in row["objects"]
        )
    done = run(
        "select",
        "--input",
        tmp_path / "out",
        "--prompt",
        "floor",
        "--threshold",
        "1",
        "--output",
        tmp_path / "none",
    )
    assert done.returncode == 1 and "Nothing fits" in done.stderr
