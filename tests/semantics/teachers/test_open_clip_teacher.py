"""Any checkpoint that open_clip reads, as a teacher: real loading code on a small model that the
test makes.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.protocol import InputError
from backend.semantics.regions import torchvision_shim
from backend.semantics.teachers import open_clip_teacher
from backend.semantics.teachers.crops import crop_regions

CPU = torch.device("cpu")
MODEL = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
SHOWN = {"mean": [0.48, 0.45, 0.4], "std": [0.26, 0.26, 0.27], "interpolation": "bilinear"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torchvision_shim.make_importable()
    model = pytest.importorskip("open_clip.model")
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("clip")
    (path / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": MODEL, "preprocess_cfg": SHOWN})
    )
    torch.manual_seed(0)
    state = model.CLIP(**MODEL).state_dict()
    save_file(
        {k: v.contiguous().half() for k, v in state.items()}, path / "open_clip_model.safetensors"
    )
    return path


def test_padding_is_left_out_where_that_changes_nothing(folder: Path) -> None:
    teacher = open_clip_teacher.load(str(folder), CPU)
    tokens = teacher.tokenize(["a lamp", "a photo of a large chair"])
    lengths = []
    embed = teacher.model.token_embedding.register_forward_hook(
        lambda module, given, found: lengths.append(found.shape[1])
    )
    with torch.inference_mode():
        torch.testing.assert_close(
            teacher.read(tokens), teacher.model.encode_text(tokens), rtol=1e-4, atol=1e-5
        )
    embed.remove()
    assert lengths == [8, 16]
    teacher.model.attn_mask = torch.zeros_like(
        teacher.model.attn_mask
    )  # now every token sees the padding
    with torch.inference_mode():
        assert not open_clip_teacher._ignores_padding(
            teacher.model, tokens, teacher.model.encode_text(tokens)
        )


def without_weights(folder: Path, path: Path) -> Path:
    (path / "open_clip_config.json").write_bytes((folder / "open_clip_config.json").read_bytes())
    return path


def test_regions_and_words_lie_on_one_sphere(folder: Path) -> None:
    teacher = open_clip_teacher.load(str(folder), CPU)
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    regions = np.full((60, 80), -1, np.int32)
    regions[10:30, 10:50], regions[40:, 60:] = 0, 1
    found, words = teacher.encode_regions(image, regions, 3), teacher.encode_text(["chair", "灯"])
    assert found.shape == (3, 32) and words.shape == (2, 32) and teacher.dimensions == 32
    for features in (found, words):
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    alone = open_clip_teacher.load(str(folder), CPU, open_clip_teacher.OpenClipConfig(in_place=0))
    first = alone.encode_regions(image, regions, 3)
    image[regions != 0] = 0
    again = alone.encode_regions(image, regions, 3)
    np.testing.assert_allclose(
        again[0], first[0], atol=1e-6, err_msg="what lies around a region alone does not matter"
    )
    assert np.abs(again[1] - first[1]).max() > 1e-5
    assert teacher.encode_regions(image, regions, 0).shape == (0, 32) and teacher.encode_text(
        []
    ).shape == (0, 32)


def test_weights_are_never_random(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be loaded"):
        open_clip_teacher.load(str(without_weights(folder, tmp_path)), CPU)


def test_bad_checkpoints_get_one_sentence(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "open_clip_model.safetensors").read_bytes()
    without_weights(folder, tmp_path)
    (tmp_path / "open_clip_model.safetensors").write_bytes(whole[:5000])
    with pytest.raises(InputError, match="can't be used"):
        open_clip_teacher.load(str(tmp_path), CPU)
    with pytest.raises(InputError, match="can't be used"):
        open_clip_teacher.load(
            f"ViT-B-32={folder / 'open_clip_model.safetensors'}", CPU
        )  # another architecture
    for name in ("", str(tmp_path / "nowhere"), "ViT-B-32=nowhere.pt", "no-such-model/tag"):
        with pytest.raises(InputError) as caught:
            open_clip_teacher.load(name, CPU)
        assert "\n" not in caught.value.what and len(caught.value.what) < 300


class Hostile:
    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.proof),)


def test_code_in_a_checkpoint_is_not_run(folder: Path, tmp_path: Path) -> None:
    without_weights(folder, tmp_path)
    torch.save(
        {"state_dict": Hostile(tmp_path / "proof")}, tmp_path / "open_clip_pytorch_model.bin"
    )
    with pytest.raises(InputError, match="more than weights"):
        open_clip_teacher.load(str(tmp_path), CPU)
    assert not (tmp_path / "proof").exists()


def test_crops_are_centred_square_and_grey_around() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[20:40, 150:190] = (250, 10, 10)
    regions = np.full((100, 200), -1, np.int32)
    regions[20:40, 150:190] = 0
    alone, placed = crop_regions(image, regions, 2, 32)
    assert alone.shape == placed.shape == (2, 32, 32, 3)
    assert (np.abs(alone[0, 16, 16].astype(int) - (250, 10, 10)) < 6).all(), (
        "the middle of the region is the middle of the crop"
    )
    assert (np.abs(alone[0, 1, 1].astype(int) - 128) < 3).all() and (placed[0, 16, 0] < 3).all()
    assert (placed[0, 1, 16] == 128).all() and (alone[1] == 128).all(), (
        "beyond the picture and without a region there is grey"
    )
    covered = (alone[0, :, :, 0] > 200).mean()
    assert covered == pytest.approx(0.5 / 1.3**2, abs=0.05)
    big, _ = crop_regions(
        np.kron(image, np.ones((8, 8, 1), np.uint8)),
        np.kron(regions, np.ones((8, 8), np.int32)),
        1,
        32,
    )
    assert np.abs(big[0].astype(int) - alone[0].astype(int)).mean() < 3, (
        "the same at eight times the size"
    )
