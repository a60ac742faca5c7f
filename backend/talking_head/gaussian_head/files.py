"""Gaussian heads to files and back."""

from dataclasses import dataclass
from pathlib import Path

import torch

from ...formats import gaussian_head_file
from ...formats.gaussian_head_file import GaussianHead
from ...formats.head_file import Head
from ...geometry.arrays import Floats
from .learn import LearnedHead
from .model import BoundGaussians, BoundMesh, LatentPose


def save(path: Path, learned: LearnedHead) -> None:
    """Writes what `face` has learned."""
    model, mesh, corners = learned.model, learned.mesh, learned.corners
    quats = torch.nn.functional.normalize(model.quats, dim=1)
    arrays = {
        "corners": corners.int(),
        "rest_sizes": mesh.rest_sizes,
        "means": model.means,
        "quats": quats,
        "scales": model.log_scales.exp(),
        "opacities": model.opacity_logits.sigmoid(),
        "sh": model.sh,
        "mean_shapes": model.mean_shapes,
        "color_shapes": model.color_shapes,
        "latent_weights": model.latent.weights,
        "latent_bias": model.latent.bias,
        "invented": learned.invented,
        "follow": learned.follow(),
        "joint": torch.from_numpy(learned.whole.anatomy.joint),
        "yaw_range": torch.from_numpy(learned.whole.yaw_range),
    }
    gaussian_head_file.write(
        path, GaussianHead(**{name: array.numpy() for name, array in arrays.items()})
    )


@dataclass(frozen=True)
class LoadedHead:
    """What `talk` needs of a file."""

    model: BoundGaussians
    mesh: BoundMesh
    joint: Floats  # (3,) about which the head turns; its middle in files that do not say
    yaw_range: Floats | None  # (2,) degrees that were filmed


def load(path: Path, head: Head, invented: float = 1.0, shoulders: float = 1.0) -> LoadedHead:
    """Of the head that lies beside it. What no frame has shown is there to a share of `invented`,
    the shoulders to one of `shoulders`; heads of earlier versions have neither.
    """
    arrays = gaussian_head_file.read(path, len(head.vertices), len(head.names))
    t = {
        name: torch.from_numpy(getattr(arrays, name))
        for name in GaussianHead.__dataclass_fields__
        if getattr(arrays, name) is not None
    }
    if "invented" in t:
        t["opacities"] = t["opacities"] * (1 - t["invented"] * (1 - invented))
    if "follow" in t:
        t["opacities"] = t["opacities"] * (1 - (1 - t["follow"]) * (1 - shoulders))
    logits = torch.logit(t["opacities"].clamp(1e-4, 1 - 1e-4))
    latent = LatentPose(t["latent_weights"], t["latent_bias"])
    scales = t["scales"].clamp_min(1e-6).log()
    model = BoundGaussians(
        means=t["means"],
        quats=t["quats"],
        log_scales=scales,
        opacity_logits=logits,
        sh=t["sh"],
        mean_shapes=t["mean_shapes"],
        color_shapes=t["color_shapes"],
        latent=latent,
    )
    used, corners = t["corners"].long().unique(return_inverse=True)
    rest, shapes = torch.from_numpy(head.vertices), torch.from_numpy(head.shapes)
    mesh = BoundMesh(rest[used], shapes[:, used].flatten(1), corners, t["rest_sizes"])
    joint = arrays.joint if arrays.joint is not None else head.vertices.mean(0)
    return LoadedHead(model, mesh, joint, arrays.yaw_range)
