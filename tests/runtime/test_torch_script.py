"""TorchScript is a program: it is opened only where the user says so."""

from pathlib import Path

import pytest
import torch
from helpers.command_line import refusal
from torch import nn

from backend.cameras.flowmap.pretrained import load
from backend.protocol import InputError
from backend.runtime.torch_script import load_script
from backend.talking_head.speech.pretrained import load_pretrained


class Twice(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


@pytest.fixture
def network(tmp_path: Path) -> Path:
    torch.jit.script(Twice()).save(str(tmp_path / "n.pt"))
    return tmp_path / "n.pt"


def test_a_network_is_opened_where_it_is_trusted(network: Path) -> None:
    for loaded in (
        load_script(network, True),
        load(str(network), "cpu", True),
        load_pretrained(str(network), True),
    ):
        assert loaded is not None and float(loaded(torch.ones(1))) == 2
    assert load("", "cpu", False) is None and load_pretrained("", False) is None


def test_others_are_not_even_opened(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("its code ran")

    monkeypatch.setattr(torch.jit, "load", opened)
    for refuse in (
        lambda: load_script(network, False),
        lambda: load(str(network), "cpu", False),
        lambda: load_pretrained(str(network), False),
    ):
        with pytest.raises(InputError, match="runs code of whoever made it") as error:
            refuse()
        assert "--trust-model-code" in error.value.advice


def test_what_is_no_torchscript_is_one_sentence(tmp_path: Path) -> None:
    for data in (b"", b"x", b"PK\3\4" + b"\0" * 99):
        (tmp_path / "n.pt").write_bytes(data)
        with pytest.raises(InputError, match="not a TorchScript file"):
            load_script(tmp_path / "n.pt", True)
    with pytest.raises(InputError, match="There is no file"):
        load_script(tmp_path / "none.pt", True)


def test_speech_asks_before_it_opens_one(network: Path, tmp_path: Path) -> None:
    import numpy as np
    from helpers.sounds import write_wav

    write_wav(tmp_path / "a.wav", np.zeros((8000, 1)), 8000)
    out = ("--output", tmp_path / "out", "--sound-model", network)
    assert "runs code" in refusal("speech", "--input", tmp_path / "a.wav", *out).what
