"""Any CLIP that open_clip can load, as a teacher: a local folder, a file, or a named model that is
there already.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...geometry.arrays import Floats, Ints32
from ...protocol import InputError
from ...runtime.threads import several_threads
from ..regions import torchvision_shim
from .crops import crop_regions
from .relevancy import phrases

ADVICE = (
    "Choose a folder in open_clip's layout, or a checkpoint with the name of its architecture "
    "(ViT-B-32=FILE)."
)


@dataclass(frozen=True)
class OpenClipConfig:
    """How regions are shown to the model."""

    batch: int = 32
    # weight of the crop that shows the region in its place, against the region alone
    in_place: float = 0.3


@dataclass(kw_only=True)
class OpenClipTeacher:
    """A loaded model; its weights are never anything but loaded."""

    name: str
    dimensions: int
    model: Any  # open_clip's, which has no types
    tokenize: Callable[[list[str]], Tensor]
    side: int
    mean: Tensor  # (3,)
    deviation: Tensor
    device: torch.device
    config: OpenClipConfig
    read: Callable[[Tensor], Tensor]  # the model's own encode_text, or the same without the padding

    def encode_regions(self, image: NDArray, regions: Ints32, count: int) -> Floats:
        """See Teacher. The crop alone and the crop in its place are encoded and mixed."""
        if not count:
            return np.zeros((0, self.dimensions), np.float32)
        alone, placed = (
            self._encode_images(c) for c in crop_regions(image, regions, count, self.side)
        )
        mixed = nn.functional.normalize(
            (1 - self.config.in_place) * alone + self.config.in_place * placed, dim=1
        )
        return np.asarray(mixed.cpu().numpy(), np.float32)

    def encode_text(self, words: Sequence[str]) -> Floats:
        """See Teacher. Each word is the mean of a few sentences about it."""
        if not words:
            return np.zeros((0, self.dimensions), np.float32)
        sentences = [sentence for group in phrases(words) for sentence in group]
        parts = []
        for first in range(0, len(sentences), 4 * self.config.batch):
            tokens = self.tokenize(sentences[first : first + 4 * self.config.batch]).to(self.device)
            with torch.inference_mode(), several_threads():
                parts.append(nn.functional.normalize(self.read(tokens).float(), dim=1))
        features = torch.cat(parts)
        features = nn.functional.normalize(
            features.view(len(words), -1, features.shape[1]).mean(1), dim=1
        )
        return np.asarray(features.cpu().numpy(), np.float32)

    def _encode_images(self, crops: NDArray[np.uint8]) -> Tensor:
        parts = []
        for first in range(0, len(crops), self.config.batch):
            images = (
                torch.from_numpy(crops[first : first + self.config.batch])
                .to(self.device)
                .permute(0, 3, 1, 2)
                .float()
                / 255
            )
            images = (images - self.mean[:, None, None]) / self.deviation[:, None, None]
            with torch.inference_mode(), several_threads():
                parts.append(
                    nn.functional.normalize(self.model.encode_image(images).float(), dim=1)
                )
        return torch.cat(parts)


def load(
    model: str, device: torch.device, config: OpenClipConfig = OpenClipConfig()
) -> OpenClipTeacher:
    """`model`: a folder with open_clip_config.json and weights; ARCHITECTURE=FILE; or
    ARCHITECTURE/TAG of a model whose weights are in open_clip's cache already. InputError for
    anything else; the network is never asked.
    """
    name, weights = _source(model)
    # read when the hub's client is imported: an answer at once instead of retries
    os.environ["HF_HUB_OFFLINE"] = "1"
    torchvision_shim.make_importable()
    import open_clip  # seconds, so only when it is needed

    logging.getLogger().setLevel(logging.ERROR)  # it logs to the root logger
    try:
        network = open_clip.create_model_from_pretrained(
            name, weights, device=device, return_transform=False, weights_only=True
        )
        tokenize = open_clip.get_tokenizer(name)
    except Exception as error:
        why = (
            "it holds more than weights"
            if "Weights only load failed" in str(error)
            else _first_line(error)
        )
        raise InputError(f"The CLIP model {model} can't be used: {why}.", ADVICE) from error
    return wrapped(network.eval(), tokenize, _lasting(model), device, config)


def _source(model: str) -> tuple[str, str | None]:
    """open_clip's two arguments for the three ways to name a model."""
    if not model.strip():
        raise InputError("No CLIP model is given.", ADVICE)
    if Path(model).is_dir():
        return f"local-dir:{model}", None
    name, equals, file = model.partition("=")
    if equals:
        if not Path(file).is_file():
            raise InputError(f"There is no file {file}.", ADVICE)
        return name, file
    name, _, tag = model.rpartition("/")
    if not name or os.sep in name or name.startswith("."):
        raise InputError(f"There is no CLIP model at {model}.", ADVICE)
    return name, tag


def _lasting(model: str) -> str:
    """The model's name as it can be found from any folder."""
    if Path(model).is_dir():
        return str(Path(model).resolve())
    name, equals, file = model.partition("=")
    return f"{name}={Path(file).resolve()}" if equals else model


def _first_line(error: Exception) -> str:
    text = str(error).partition("\n")[0].partition(" Available:")[0].strip()
    return (text or type(error).__name__)[:200].rstrip(".:!")


def wrapped(
    network: Any,
    tokenize: Callable[[list[str]], Tensor],
    name: str,
    device: torch.device,
    config: OpenClipConfig,
) -> OpenClipTeacher:
    """A teacher around an open_clip network, with the size and the colours that it was trained
    on.
    """
    shown = network.visual.preprocess_cfg
    side = shown["size"] if isinstance(shown["size"], int) else shown["size"][0]
    with torch.inference_mode():
        tokens = tokenize(["a photo of a lamp"]).to(device)
        whole = network.encode_text(tokens)
        read = (
            _without_padding(network)
            if _ignores_padding(network, tokens, whole)
            else network.encode_text
        )
    mean, deviation = (torch.tensor(shown[key], device=device) for key in ("mean", "std"))
    return OpenClipTeacher(
        name=name,
        dimensions=whole.shape[1],
        model=network,
        tokenize=tokenize,
        side=side,
        mean=mean,
        deviation=deviation,
        device=device,
        config=config,
        read=read,
    )


class _Reader(nn.Module):
    """A model's text side as a module, so that it can be called with other positions and another
    mask.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        features: Tensor = self.network.encode_text(tokens)
        return features


def _without_padding(network: Any) -> Callable[[Tensor], Tensor]:
    """encode_text of tokens (B, L) cut behind the longest text: padding to 77 tokens is nine tenths
    of the work.
    """
    reader = _Reader(network)

    def read(tokens: Tensor) -> Tensor:
        length = int((tokens != 0).sum(1).max())
        cut = {"network.positional_embedding": network.positional_embedding[:length]}
        if network.attn_mask is not None:
            cut["network.attn_mask"] = network.attn_mask[:length, :length]
        features: Tensor = torch.func.functional_call(reader, cut, (tokens[:, :length],))
        return features

    return read


def _ignores_padding(network: Any, tokens: Tensor, whole: Tensor) -> bool:
    """Whether the model reads a text up to its end only, as most CLIPs do: tried on one."""
    try:
        return torch.allclose(_without_padding(network)(tokens), whole, rtol=1e-3, atol=1e-4)
    except (RuntimeError, AttributeError, KeyError):  # another kind of text tower
        return False
