"""Masks of what is at a place in a picture: SAM (Kirillov et al. 2023) and its small kin, MobileSAM
and EdgeSAM, as an ONNX encoder and decoder.

The encoder looks at a picture once; the decoder answers places in it. Their interface is that of
segment-anything's own export (points in a picture whose longer side is 1024, masks of 256 x 256
as logits); encoders take (1, 3, 1024, 1024) of normalised colours, or (H, W, 3) of plain ones
where colours and padding are part of the network.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats, Pixels
from ..protocol import InputError
from .onnx_model import FLOATS, OnnxModel, Wanted, load
from .pictures import Normalization, model_file, resized

SIDE = 1024  # pixels, where the encoder does not say
NORMALIZATION = Normalization()  # ImageNet's, as SAM's own code has it in 0..255
AT_ONCE = 32  # prompts, where the decoder takes as many as it is given
FOREGROUND, BACKGROUND, NO_POINT = 1.0, 0.0, -1.0
ADVICE = "Choose a folder with both halves of one model: its encoder and its decoder, as .onnx."


@dataclass(frozen=True)
class SeenPicture:
    """A picture that the encoder has looked at."""

    embedding: Floats  # (1, C, h, w)
    width: int
    height: int
    scale: float  # of the picture, to have the encoder's side


@dataclass(frozen=True)
class Candidates:
    """What may be meant by each of P prompts: M masks as logits, and how sure of each."""

    logits: Floats  # (P, M, h, w), of the picture alone, without the padding
    scores: Floats  # (P, M) predicted overlap with a true object

    def at_size(self, prompt: int, mask: int, width: int, height: int) -> NDArray[np.bool_]:
        """One of them (height, width)."""
        large = cv2.resize(
            self.logits[prompt, mask], (width, height), interpolation=cv2.INTER_LINEAR
        )
        return np.asarray(large) > 0


@dataclass(frozen=True, kw_only=True)
class SamNetwork:
    """Both halves, loaded."""

    encoder: OnnxModel
    decoder: OnnxModel
    side: int
    is_plain: bool  # the encoder takes (H, W, 3) of colours 0..255
    at_once: int  # prompts that the decoder takes

    def look(self, image: Pixels) -> SeenPicture:
        """A picture (H, W, 3)."""
        height, width = image.shape[:2]
        scale = self.side / max(height, width)
        small = resized(image, max(1, round(width * scale)), max(1, round(height * scale)))
        shown: NDArray[Any] = small.astype(np.float32)
        if not self.is_plain:
            shown = np.zeros((1, 3, self.side, self.side), np.float32)
            shown[:, :, : small.shape[0], : small.shape[1]] = NORMALIZATION.of(small)
        answer = self.encoder.run(**{self.encoder.inputs[0].name: shown})
        embedding = answer[self.encoder.outputs[0].name]
        if not np.isfinite(embedding).all():
            raise InputError(f"{self.encoder.name} gives no numbers for this picture.", ADVICE)
        return SeenPicture(embedding, width, height, scale)

    def ask(self, seen: SeenPicture, places: Floats, labels: Floats) -> Candidates:
        """P prompts of N points each: places (P, N, 2) as x, y in pixels, labels (P, N) FOREGROUND
        or BACKGROUND. A single point has several readings, several points have one.
        """
        parts = [
            self._asked(seen, places[i : i + self.at_once], labels[i : i + self.at_once])
            for i in range(0, len(places), self.at_once)
        ]
        return Candidates(
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def _asked(self, seen: SeenPicture, places: Floats, labels: Floats) -> Candidates:
        count = len(places)
        points = np.concatenate([places * seen.scale, np.zeros((count, 1, 2))], 1)
        answer = self.decoder.run(
            image_embeddings=seen.embedding,
            point_coords=points,
            point_labels=np.concatenate([labels, np.full((count, 1), NO_POINT)], 1),
            mask_input=np.zeros((1, 1, 256, 256)),
            has_mask_input=np.zeros(1),
            orig_im_size=np.array([seen.height, seen.width]),
        )
        logits, scores = answer["low_res_masks"], answer["iou_predictions"]
        fits = logits.ndim == 4 and logits.shape[:2] == scores.shape == (count, scores.shape[-1])
        if not fits or not scores.size or not np.isfinite(logits).all():
            raise InputError(f"{self.decoder.name} does not answer as a SAM's decoder.", ADVICE)
        if scores.shape[1] > 1:  # the first of SAM's four is for prompts that leave no doubt
            is_whole = scores.shape[1] == 4
            alone = labels.shape[1] == 1
            chosen = slice(int(is_whole), None) if alone else slice(0, 1 if is_whole else None)
            logits, scores = logits[:, chosen], scores[:, chosen]
        rows = max(1, round(logits.shape[2] * seen.height * seen.scale / self.side))
        columns = max(1, round(logits.shape[3] * seen.width * seen.scale / self.side))
        return Candidates(logits[:, :, :rows, :columns], scores)


def load_sam(folder: Path, device: str = "cpu") -> SamNetwork:
    """The two halves in a folder. InputError where they are not there, or are no SAM."""
    if not folder.is_dir():
        if folder.exists():
            raise InputError(
                f"{folder.name} is a file: SAM's weights as .pt and .pth are no longer read.",
                "Get MobileSAM from the list in Get a Model, or choose a folder with encoder and "
                "decoder as .onnx.",
            )
        raise InputError(f"There is no folder {folder}.", ADVICE)
    encoder = load(model_file(folder, "encoder"), device)
    decoder = load(model_file(folder, "decoder_multi", "decoder"), device)
    (shown,), (embedding,) = encoder.demand(
        "a SAM's encoder",
        [Wanted(shapes=((1, 3, None, None), (None, None, 3)))],
        [Wanted(shapes=((1, None, None, None),))],
    )
    is_plain = len(shown.shape) == 3
    side = SIDE if is_plain else shown.shape[3] or SIDE
    inputs, _ = decoder.demand(
        "a SAM's decoder",
        [
            Wanted(name="image_embeddings", shapes=(embedding.shape,)),
            Wanted(name="point_coords", shapes=((None, None, 2),)),
            Wanted(name="point_labels", shapes=((None, None),)),
            Wanted(name="mask_input", shapes=((None, 1, 256, 256),)),
            Wanted(name="has_mask_input", shapes=((None,),)),
            Wanted(name="orig_im_size", kinds=(*FLOATS, "int64", "int32"), shapes=((2,),)),
        ],
        [
            Wanted(name="low_res_masks", shapes=((None, None, None, None),)),
            Wanted(name="iou_predictions", shapes=((None, None),)),
        ],
    )
    free = inputs[1].shape[0] is None and inputs[2].shape[0] is None
    return SamNetwork(
        encoder=encoder,
        decoder=decoder,
        side=side,
        is_plain=is_plain,
        at_once=AT_ONCE if free else 1,
    )
