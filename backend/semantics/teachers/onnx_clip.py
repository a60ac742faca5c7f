"""A CLIP as two ONNX encoders in a folder, one of pictures and one of words, with the vocabulary
beside them: for machines without open_clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats, Ints32
from ...networks.clip_tokens import ClipTokens, read_tokens
from ...networks.onnx_model import OnnxModel, Port, load as load_model
from ...networks.pictures import Normalization, model_file, normalization_beside, side_beside
from ...protocol import InputError
from .crops import crop_regions
from .relevancy import phrases

PICTURES, WORDS, MASK = ("vision", "visual", "image"), ("text",), "attention_mask"
SIDE, LENGTH = 224, 77  # pixels and tokens, where the model does not say
COLORS = Normalization((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
ADVICE = "Choose a folder with the encoders of one CLIP, of pictures and of words, as .onnx."


@dataclass(frozen=True, kw_only=True)
class OnnxClipConfig:
    """How regions are shown to the model."""

    batch: int = 32
    # weight of the crop that shows the region in its place, against the region alone
    in_place: float = 0.3


@dataclass(frozen=True)
class Encoder:
    """One half: what it takes, and which output is the embedding."""

    model: OnnxModel
    input: Port
    output: str

    def __call__(self, rows: NDArray[Any], batch: int, **more: NDArray[Any]) -> Floats:
        """(B, D) of length 1, of rows (B, …); `more` has as many."""
        fixed = self.input.shape[0]
        parts = []
        for first in range(0, len(rows), fixed or batch):
            feeds = {
                name: values[first : first + (fixed or batch)]
                for name, values in {self.input.name: rows, **more}.items()
            }
            missing = max((fixed or 0) - len(feeds[self.input.name]), 0)
            filled = {
                n: np.concatenate([v, np.repeat(v[-1:], missing, 0)]) for n, v in feeds.items()
            }
            answer = self.model.run(**filled)[self.output]
            if answer.ndim != 2 or not np.isfinite(answer).all():
                raise InputError(f"{self.model.name} gives no embeddings.", ADVICE)
            parts.append(answer[: len(answer) - missing])
        return unit(np.concatenate(parts))


@dataclass(frozen=True, kw_only=True)
class OnnxClipTeacher:
    """Both halves, loaded."""

    name: str
    pictures: Encoder
    words: Encoder
    tokens: ClipTokens
    side: int
    normalization: Normalization
    dimensions: int
    config: OnnxClipConfig

    def encode_regions(self, image: NDArray[Any], regions: Ints32, count: int) -> Floats:
        """See Teacher. The crop alone and the crop in its place are encoded and mixed."""
        if not count:
            return np.zeros((0, self.dimensions), np.float32)
        alone, placed = (
            self.pictures(
                np.concatenate([self.normalization.of(crop) for crop in crops]), self.config.batch
            )
            for crops in crop_regions(image, regions, count, self.side)
        )
        return unit((1 - self.config.in_place) * alone + self.config.in_place * placed)

    def encode_text(self, words: Sequence[str]) -> Floats:
        """See Teacher. Each word is the mean of a few sentences about it."""
        if not words:
            return np.zeros((0, self.dimensions), np.float32)
        rows = self.tokens([text for group in phrases(words) for text in group], self.length)
        ends = self.tokens.lengths(rows)
        if self.words.input.shape[1] is None:  # padding to 77 tokens is nine tenths of the work
            rows = rows[:, : int(ends.max())]
        takes_mask = any(port.name == MASK for port in self.words.model.inputs)
        more = {MASK: np.arange(rows.shape[1]) < ends[:, None]} if takes_mask else {}
        features = self.words(rows, 4 * self.config.batch, **more)
        return unit(features.reshape(len(words), -1, features.shape[1]).mean(1))

    @property
    def length(self) -> int:
        """Tokens of a text."""
        return self.words.input.shape[1] or LENGTH


def unit(rows: Floats) -> Floats:
    """Rows (…, D) of length 1."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), np.float32)


def is_there(folder: Path) -> bool:
    """Whether a folder holds ONNX files, and no model of open_clip's."""
    places = (folder, folder / "onnx")
    return not (folder / "open_clip_config.json").is_file() and any(
        path.suffix.lower() == ".onnx"
        for place in places
        if place.is_dir()
        for path in place.iterdir()
    )


def load(
    folder: Path, device: str = "cpu", config: OnnxClipConfig = OnnxClipConfig()
) -> OnnxClipTeacher:
    """InputError for a folder without both encoders and their vocabulary, or with others."""
    file = model_file(folder, *PICTURES)
    pictures = _encoder(load_model(file, device), "pictures", 4, ("float32", "float16"))
    words = _encoder(load_model(model_file(folder, *WORDS), device), "words", 2, ("int64", "int32"))
    side = pictures.input.shape[2] or side_beside(file, SIDE)
    teacher = OnnxClipTeacher(
        name=str(folder.resolve()),
        pictures=pictures,
        words=words,
        tokens=read_tokens(folder),
        side=side,
        normalization=normalization_beside(file, COLORS),
        dimensions=0,
        config=config,
    )
    seen = pictures(np.zeros((1, 3, side, side), np.float32), 1).shape[1]
    read = teacher.encode_text(["lamp"]).shape[1]
    if seen != read:
        raise InputError(
            f"The encoders in {folder.name} are of two models: {seen} and {read} numbers.", ADVICE
        )
    return replace(teacher, dimensions=seen)


def _encoder(model: OnnxModel, what: str, axes: int, kinds: tuple[str, ...]) -> Encoder:
    """The half that encodes pictures or words."""
    inputs = [port for port in model.inputs if port.name != MASK]
    outputs = [port.name for port in model.outputs if len(port.shape) == 2]
    fits = len(inputs) == 1 and len(inputs[0].shape) == axes and inputs[0].kind in kinds
    if not fits or not outputs:
        takes = ", ".join(map(str, inputs)) or "nothing"
        raise InputError(
            f"{model.name} does not encode {what} as a CLIP does: it takes {takes}.", ADVICE
        )
    named = [name for name in outputs if name.endswith("embeds")]
    return Encoder(model, inputs[0], (named or outputs)[0])
