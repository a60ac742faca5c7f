"""A CLIP that is trained here, in seconds, on rooms that are drawn here: a real checkpoint that knows a little."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import furnished_room, small_clip
from helpers.furnished_room import CLASSES

from backend.semantics.looks import without_tiny
from backend.semantics.teachers import open_clip_teacher, torchvision_shim

torchvision_shim.make_importable()
pytest.importorskip("open_clip")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "small"
    crops = small_clip.crops(furnished_room.make(40 + seed, views=8) for seed in range(4))
    small_clip.train(crops, path, small_clip.SmallClipConfig(width=12, embed_dim=48, batch=64, steps=160, varied=0.3))
    return path


def test_it_names_what_it_was_not_shown(folder: Path) -> None:
    teacher = open_clip_teacher.load(str(folder), torch.device("cpu"))
    room, words = furnished_room.make(60, views=6), teacher.encode_text(CLASSES)
    right = []
    for picture, owners in zip(room.pictures, room.owners, strict=True):
        labels, kept = without_tiny(owners.astype(np.int32), len(room.classes))
        found = (teacher.encode_regions(picture, labels, len(kept)) @ words.T).argmax(1)
        right += (found == room.classes[kept]).tolist()
    assert np.mean(right) > 0.15, "chance is 1 in 14: 0.07"
