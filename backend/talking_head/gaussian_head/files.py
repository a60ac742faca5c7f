"""Gaussian heads to files and back."""

from pathlib import Path

import torch

from ...formats import gaussian_head_file
from ...formats.gaussian_head_file import GaussianHead
from ...formats.head_file import Head
from .model import BoundGaussians, BoundMesh, LatentPose


def save(path: Path, model: BoundGaussians, mesh: BoundMesh, corners: torch.Tensor) -> None:
    """`corners` (N, 3) are vertices of the whole rig."""
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
    }
    gaussian_head_file.write(
        path, GaussianHead(**{name: array.numpy() for name, array in arrays.items()})
    )


def load(path: Path, head: Head) -> tuple[BoundGaussians, BoundMesh]:
    """Of the head that lies beside it."""
    arrays = gaussian_head_file.read(path, len(head.vertices), len(head.names))
    t = {
        name: torch.from_numpy(getattr(arrays, name)) for name in GaussianHead.__dataclass_fields__
    }
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
    return model, BoundMesh(rest[used], shapes[:, used].flatten(1), corners, t["rest_sizes"])
