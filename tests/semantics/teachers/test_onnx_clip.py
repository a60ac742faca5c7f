"""A CLIP as two ONNX encoders: tiny ones that know colors by their names."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import tiny_onnx

from backend.networks.clip_tokens import END, LETTERS, START, WORD_END
from backend.networks.pictures import side_beside
from backend.protocol import InputError
from backend.semantics.teachers import loading
from backend.semantics.teachers.onnx_clip import OnnxClipTeacher

COLORS = {"red": (3, 0, 0), "moss": (0, 3, 0), "blue": (0, 0, 3)}
CPU = torch.device("cpu")


def written(folder: Path, batch: int | str = "b", masked: bool = False) -> Path:
    """Letters mean nothing, three words their colors, and padding something else."""
    merges, parts = [], [*LETTERS, *(letter + WORD_END for letter in LETTERS)]
    for word in COLORS:
        for end in range(2, len(word) + 1):
            last = WORD_END if end == len(word) else ""
            merges.append([word[: end - 1], word[end - 1] + last])
            parts.append(word[:end] + last)
    parts = [*dict.fromkeys(parts), START, END]
    table = np.full((len(parts), 3), 1e-3)
    for word, color in COLORS.items():
        table[parts.index(word + WORD_END)] = color
    table[0] = (-40, 9, 0)  # what padding would mean, if it were looked at
    known = {part: number for number, part in enumerate(parts)}
    tiny_onnx.clip(folder, table, batch, masked)
    told = {"model": {"vocab": known, "merges": merges}}
    (folder / "tokenizer.json").write_text(json.dumps(told))
    return folder


@pytest.mark.parametrize(("batch", "masked"), [("b", True), (1, False), (5, True)])
def test_words_find_their_regions(tmp_path: Path, batch: int | str, masked: bool) -> None:
    teacher = loading.load(str(written(tmp_path, batch, masked)), CPU)
    assert isinstance(teacher, OnnxClipTeacher) and teacher.dimensions == 3 and teacher.side == 8
    image, regions = np.full((60, 80, 3), 118, np.uint8), np.full((60, 80), -1, np.int32)
    for number, color in enumerate(np.eye(3, dtype=np.uint8) * 255):
        regions[10:40, 25 * number + 5 : 25 * number + 20] = number
        image[regions == number] = color
    seen, read = teacher.encode_regions(image, regions, 3), teacher.encode_text([*COLORS])
    for features in (seen, read):
        assert features.shape == (3, 3) and features.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    if masked:
        assert (seen @ read.T).argmax(1).tolist() == [0, 1, 2]
    assert not len(teacher.encode_text([])) and not len(teacher.encode_regions(image, regions, 0))
    alone = np.concatenate([teacher.encode_text([word]) for word in COLORS])
    if masked:
        np.testing.assert_allclose(alone, read, atol=1e-5, err_msg="other texts do not matter")


def test_other_folders_get_one_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path / "clip")
    (folder / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    with pytest.raises(InputError, match="no vocabulary"):
        loading.load(str(folder), CPU)
    (tmp_path / "tokenizer.json").rename(folder / "tokenizer.json")
    tiny_onnx.depth(folder / "text_model.onnx")
    with pytest.raises(InputError, match="does not encode words"):
        loading.load(str(folder), CPU)
    (folder / "text_model.onnx").unlink()
    with pytest.raises(InputError, match="no ONNX file with text"):
        loading.load(str(folder), CPU)
    with pytest.raises(InputError, match="can't be used"):
        loading.load(str(tmp_path), CPU)  # no ONNX at all: open_clip's to say


@pytest.mark.parametrize(("told", "side"), [
    ({"crop_size": {"height": 336, "width": 336}}, 336), ({"crop_size": 240}, 240),
    ({"size": {"shortest_edge": 256}}, 256), ({"size": 0}, 224), ({"size": "big"}, 224), ([], 224),
], ids=str)  # fmt: skip
def test_settings_tell_the_side(tmp_path: Path, told: object, side: int) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told))
    assert side_beside(tmp_path / "onnx" / "vision_model.onnx", 224) == side
    assert side_beside(tmp_path.parent / "vision_model.onnx", 224) == 224
