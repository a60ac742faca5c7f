"""Same tensors, same bytes: the library alone writes its metadata in another order each time."""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from backend.formats.safetensors_header import sort_header

NOTES = {name: f'"{name}"\n\\ é 漢' for name in "abcdefghij"}
TENSORS = {"z": torch.arange(3.0), "ä": torch.ones(2, 2, dtype=torch.half), "k": torch.zeros(1)}


def written(path: Path) -> bytes:
    save_file(TENSORS, path, NOTES)
    sort_header(path)
    return path.read_bytes()


def test_the_bytes_are_the_same_and_mean_the_same(tmp_path: Path) -> None:
    assert len({written(tmp_path / f"{k}.safetensors") for k in range(8)}) == 1
    with safe_open(tmp_path / "0.safetensors", "pt") as file:
        assert file.metadata() == NOTES
        assert all(torch.equal(file.get_tensor(name), t) for name, t in TENSORS.items())
