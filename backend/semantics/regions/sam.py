"""Regions by SAM or MobileSAM, where the user has the file: points on a grid, the largest object
that each is sure of.

The networks are Meta's own package (Kirillov et al. 2023) and, for MobileSAM's encoder, timm's
TinyViT. Which of them a file holds, and of what size, is read off its weights.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...formats.gate import check_file
from ...formats.limits import MOST_MODEL
from ...geometry.arrays import Ints32
from ...protocol import InputError
from ...runtime.threads import several_threads
from . import torchvision_shim

ADVICE = "Choose SAM's own file, like sam_vit_b_01ec64.pth, or MobileSAM's mobile_sam.pt."
PATCH, CHANNELS, MOBILE_SIDE = 16, 256, 1024


@dataclass(frozen=True, kw_only=True)
class SamConfig:
    """How its masks become regions."""

    points: int = 16  # along the longer side
    batch: int = 32
    sure: float = 0.86  # predicted overlap with a true object
    stable: float = 0.9  # overlap of the mask with itself at a higher and a lower threshold
    offset: float = 1.0  # of those thresholds
    same: float = 0.7  # overlap from which two masks are of one object


@dataclass
class Sam:
    """A loaded model."""

    predictor: Any  # segment_anything's, which has no types
    config: SamConfig

    def regions(self, image: NDArray[np.uint8]) -> tuple[Ints32, int]:
        """Regions (H, W) of a picture (H, W, 3), -1: none, and their number; smaller things lie on
        larger ones.
        """
        height, width = image.shape[:2]
        step = max(height, width) / self.config.points
        x, y = np.meshgrid(np.arange(step / 2, width, step), np.arange(step / 2, height, step))
        places = np.stack([x.ravel(), y.ravel()], 1)
        masks: list[NDArray[np.bool_]] = []
        scores: list[float] = []
        with torch.inference_mode(), several_threads():
            self.predictor.set_image(image)
            for first in range(0, len(places), self.config.batch):
                self._take(
                    places[first : first + self.config.batch], (height, width), masks, scores
                )
        return _painted(
            [masks[i] for i in _distinct(masks, scores, self.config.same)], (height, width)
        )

    def _take(
        self,
        places: NDArray[np.float64],
        size: tuple[int, int],
        masks: list[NDArray[np.bool_]],
        scores: list[float],
    ) -> None:
        """Adds the largest mask of each point that is sure and stable."""
        device = self.predictor.device
        points = torch.as_tensor(
            self.predictor.transform.apply_coords(places, size), dtype=torch.float32, device=device
        )
        labels = torch.ones(len(points), 1, dtype=torch.int, device=device)
        logits, overlaps, _ = self.predictor.predict_torch(
            points[:, None], labels, multimask_output=True, return_logits=True
        )
        inner, outer = ((logits > sign * self.config.offset).sum((2, 3)) for sign in (1, -1))
        good = (overlaps >= self.config.sure) & (inner >= self.config.stable * outer) & (inner > 0)
        areas = torch.where(good, (logits > 0).sum((2, 3)), -1)
        best = areas.argmax(1)
        for i in torch.nonzero(good.any(1)).ravel().tolist():
            masks.append((logits[i, best[i]] > 0).cpu().numpy())
            scores.append(float(overlaps[i, best[i]]))


def _distinct(masks: list[NDArray[np.bool_]], scores: list[float], same: float) -> list[int]:
    """The surest of those that overlap."""
    kept: list[int] = []
    for i in np.argsort(-np.array(scores), kind="stable").tolist():
        if all((masks[i] & masks[j]).sum() < same * (masks[i] | masks[j]).sum() for j in kept):
            kept.append(i)
    return kept


def _painted(masks: list[NDArray[np.bool_]], size: tuple[int, int]) -> tuple[Ints32, int]:
    regions = np.full(size, -1, np.int32)
    for number, mask in enumerate(sorted(masks, key=lambda m: -int(m.sum()))):
        regions[mask] = number
    return regions, len(masks)


def load(path: Path, device: torch.device, config: SamConfig = SamConfig()) -> Sam:
    """InputError for anything that is not a SAM."""
    torchvision_shim.make_importable()
    import segment_anything

    check_file(path, MOST_MODEL)
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        model = _model(weights.get("model", weights))
    except Exception as error:  # whatever a damaged or foreign file makes torch raise
        raise InputError(f"{path.name} is not a SAM that can be used.", ADVICE) from error
    return Sam(segment_anything.SamPredictor(model.to(device).eval()), config)


def _model(weights: Mapping[str, Tensor]) -> nn.Module:
    from segment_anything.modeling import (
        MaskDecoder,
        PromptEncoder,
        Sam as SamModel,
        TwoWayTransformer,
    )

    mobile = "image_encoder.patch_embed.seq.0.c.weight" in weights
    side = MOBILE_SIDE if mobile else PATCH * weights["image_encoder.pos_embed"].shape[1]
    encoder = mobile_encoder() if mobile else _encoder(weights, side)
    prompts = PromptEncoder(
        embed_dim=CHANNELS,
        image_embedding_size=(side // PATCH,) * 2,
        input_image_size=(side, side),
        mask_in_chans=16,
    )
    transformer = TwoWayTransformer(depth=2, embedding_dim=CHANNELS, mlp_dim=2048, num_heads=8)
    decoder = MaskDecoder(
        num_multimask_outputs=3,
        transformer=transformer,
        transformer_dim=CHANNELS,
        iou_head_depth=3,
        iou_head_hidden_dim=256,
    )
    model: nn.Module = SamModel(
        encoder, prompts, decoder, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    )
    model.load_state_dict(renamed(weights) if mobile else weights)
    return model


def _encoder(weights: Mapping[str, Tensor], side: int) -> Any:
    """SAM's ViT of whatever size the weights are."""
    from segment_anything.modeling import ImageEncoderViT

    dim = weights["image_encoder.pos_embed"].shape[3]
    relative = [
        weights[f"image_encoder.blocks.{i}.attn.rel_pos_h"] for i in range(len(_blocks(weights)))
    ]
    window = (min(r.shape[0] for r in relative) + 1) // 2
    whole = [i for i, r in enumerate(relative) if r.shape[0] == 2 * (side // PATCH) - 1]
    return ImageEncoderViT(
        img_size=side,
        patch_size=PATCH,
        embed_dim=dim,
        depth=len(relative),
        num_heads=dim // relative[0].shape[1],
        out_chans=CHANNELS,
        qkv_bias=True,
        norm_layer=lambda n: nn.LayerNorm(n, eps=1e-6),
        use_rel_pos=True,
        window_size=window,
        global_attn_indexes=whole,
    )


def _blocks(weights: Mapping[str, Tensor]) -> set[str]:
    return {key.split(".")[2] for key in weights if key.startswith("image_encoder.blocks.")}


def mobile_encoder() -> nn.Module:
    """MobileSAM's: TinyViT-5M whose last stage keeps its resolution, and SAM's neck (Zhang et al.
    2023).
    """
    from segment_anything.modeling.common import LayerNorm2d
    from timm.models.tiny_vit import TinyVit

    trunk: Any = TinyVit(
        embed_dims=(64, 128, 160, 320),
        depths=(2, 2, 6, 2),
        num_heads=(2, 4, 5, 10),
        drop_path_rate=0.0,
        num_classes=0,
    )
    trunk.head = nn.Identity()
    trunk.stages[3].downsample.conv2.conv.stride = (1, 1)
    neck = nn.Sequential(
        nn.Conv2d(320, CHANNELS, 1, bias=False),
        LayerNorm2d(CHANNELS),
        nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False),
        LayerNorm2d(CHANNELS),
    )
    encoder = nn.Sequential()
    encoder.add_module("trunk", trunk)
    encoder.add_module("neck", neck)
    encoder.img_size = MOBILE_SIDE  # type: ignore[assignment]  # SAM asks its encoder for it
    return encoder


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """MobileSAM's names of its encoder's weights to timm's: there a stage begins with what here
    ends the one before.
    """
    tensors = {}
    for key, value in weights.items():
        name = key.replace("image_encoder.", "image_encoder.trunk.", 1).replace(
            "trunk.neck.", "neck."
        )
        if re.match(r"image_encoder\.trunk\.(head|norm_head)\.", name) or name.endswith(
            "attention_bias_idxs"
        ):
            continue
        if name.startswith("image_encoder.trunk."):
            name = re.sub(
                r"patch_embed\.seq\.([02])", lambda m: f"patch_embed.conv{1 + int(m[1]) // 2}", name
            )
            name = re.sub(
                r"layers\.(\d)\.downsample", lambda m: f"stages.{int(m[1]) + 1}.downsample", name
            )
            name = re.sub(r"layers\.(\d)\.", r"stages.\1.", name)
            name = re.sub(r"\.c\.weight$", ".conv.weight", name)
        tensors[name] = value
    return tensors
