"""A small CLIP that the project trains itself, on regions of rooms that it draws: a valid open_clip
folder, never the product's.

Contrastive between crops and captions; crops of one class have the same right caption.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from helpers.furnished_room import CLASSES, Room
from torch import Tensor, nn

from backend.semantics.regions import torchvision_shim
from backend.semantics.teachers.crops import crop_regions

SIDE = 64
SHOWN = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bilinear",
}
TEMPLATES = ("a photo of a {}", "a {}", "{}", "a picture of the {}", "there is a {} in the room")
SYNONYMS = {
    "couch": ("couch", "sofa"),
    "rug": ("rug", "carpet"),
    "cactus": ("cactus", "plant"),
    "lamp": ("lamp", "light"),
}


@dataclass(frozen=True)
class SmallClipConfig:
    """Sizes and schedule."""

    width: int = 24
    embed_dim: int = 96
    batch: int = 96
    learning_rate: float = 2e-3
    steps: int = 2000
    varied: float = 1.0  # share of the crops that are augmented
    seed: int = 0

    def model(self) -> dict:
        vision = {"image_size": SIDE, "layers": [1, 1, 1, 1], "width": self.width, "head_width": 32}
        text = {"context_length": 16, "vocab_size": 49408, "width": 48, "heads": 2, "layers": 1}
        return {"embed_dim": self.embed_dim, "vision_cfg": vision, "text_cfg": text}


@dataclass(frozen=True)
class Crops:
    """M regions: alone on grey and in their place, and their classes."""

    alone: np.ndarray  # (M, SIDE, SIDE, 3) uint8
    placed: np.ndarray
    classes: np.ndarray  # (M,) index into CLASSES


def crops(rooms: Iterable[Room], smallest: int = 40) -> Crops:
    """Of all objects in all pictures, by their exact masks."""
    alone, placed, classes = [], [], []
    for room in rooms:
        for image, owners in zip(room.images, room.owners, strict=True):
            there, sizes = np.unique(owners[owners >= 0], return_counts=True)
            there = there[sizes >= smallest]
            number = np.full(len(room.classes) + 1, -1, np.int32)
            number[there] = np.arange(len(there))
            both = crop_regions(image, number[owners], len(there), SIDE)
            alone.append(both[0])
            placed.append(both[1])
            classes.append(room.classes[there])
    return Crops(np.concatenate(alone), np.concatenate(placed), np.concatenate(classes))


def _augmented(images: Tensor, random: torch.Generator) -> Tensor:
    """(B, 3, S, S) 0..1: mirrored, moved and scaled, cut by a line, other colours and light,
    blurred.
    """
    b = len(images)

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(b, *shape, generator=random) * (high - low) + low

    scale, flip = draw(0.75, 1.15), (draw(0, 1) < 0.5) * 2.0 - 1
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = scale * flip, scale, draw(-0.12, 0.12, 2)
    theta[:, 0, 1], theta[:, 1, 0] = draw(-0.1, 0.1), draw(-0.1, 0.1)
    grid = nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
    images = nn.functional.grid_sample(images - 0.5, grid, align_corners=False) + 0.5
    angle, y = draw(0, 6.283, 1, 1), torch.linspace(-1, 1, SIDE)
    cut = angle.cos() * y[None, None] + angle.sin() * y[None, :, None] > draw(0.1, 2.5, 1, 1)
    images = torch.where(cut[:, None], torch.full_like(images, 0.5), images)
    order = torch.rand(b, 3, generator=random).argsort(
        1
    )  # colours say little of what a thing is: few models must stand for many
    mix = torch.eye(3)[order] + draw(-0.3, 0.3, 3, 3)
    mix = torch.where(draw(0, 1, 1, 1) < 0.2, torch.full_like(mix, 1 / 3), mix)
    mix = torch.where(draw(0, 1, 1, 1) < 0.25, torch.eye(3).expand_as(mix), mix)
    mix = mix / mix.sum(2, keepdim=True)
    images = (
        torch.einsum("bij,bjhw->bihw", mix, images - 0.5) * draw(0.6, 1.4, 1, 1, 1)
        + 0.5
        + draw(-0.15, 0.15, 1, 1, 1)
    )
    small = nn.functional.interpolate(
        nn.functional.interpolate(images, scale_factor=0.4, mode="area"), size=SIDE, mode="bilinear"
    )
    images = torch.where(draw(0, 1, 1, 1, 1) < 0.4, small, images)
    return (images + torch.randn(images.shape, generator=random) * 0.02).clamp(0, 1)


def _captions(random: np.random.Generator) -> list[str]:
    """One of every class."""
    return [
        str(random.choice(TEMPLATES)).format(random.choice(SYNONYMS.get(name, (name,))))
        for name in CLASSES
    ]


def train(data: Crops, folder: Path, config: SmallClipConfig = SmallClipConfig()) -> float:
    """Writes open_clip_config.json and open_clip_model.safetensors; the CPU seconds that it
    took.
    """
    torchvision_shim.make_importable()
    import open_clip
    from open_clip.model import CLIP
    from safetensors.torch import save_file

    begun = time.process_time()
    torch.manual_seed(config.seed)
    random, generator = (
        np.random.default_rng(config.seed),
        torch.Generator().manual_seed(config.seed),
    )
    model, tokenize = CLIP(**config.model()), open_clip.get_tokenizer("ViT-B-32", context_length=16)
    mean, deviation = (torch.tensor(SHOWN[key])[:, None, None] for key in ("mean", "std"))
    optimizer = torch.optim.AdamW(
        model.parameters(), config.learning_rate, (0.9, 0.98), weight_decay=0.05
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, config.steps, pct_start=0.1
    )
    frequency = np.bincount(data.classes, minlength=len(CLASSES))
    chance = 1 / np.sqrt(frequency[data.classes])
    for _ in range(config.steps):
        chosen = random.choice(len(data.classes), config.batch, p=chance / chance.sum())
        pictures = np.where(
            random.random(config.batch)[:, None, None, None] < 0.6,
            data.alone[chosen],
            data.placed[chosen],
        )
        images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
        plain = torch.rand(config.batch, 1, 1, 1, generator=generator) >= config.varied
        images = torch.where(plain, images, _augmented(images, generator))
        seen, read, scale = model((images - mean) / deviation, tokenize(_captions(random)))[:3]
        target = torch.from_numpy(data.classes[chosen]).long()
        loss = nn.functional.cross_entropy(scale * seen @ read.T, target, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 3.5)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config.model(), "preprocess_cfg": SHOWN})
    )
    save_file(
        {k: v.contiguous().half() for k, v in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    return time.process_time() - begun
