"""The Gaussian head: what is trained, and what it looks like with given coefficients of the rig."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...geometry.spherical_harmonics import SH_C0
from .binding import carry, triangle_frames

SH_DEGREE = 1  # in the head's own axes: light that changes as the head turns to and fro


SHAPES = ("mean_shapes", "color_shapes")  # whose second axis is the Gaussians'


@dataclass
class LatentPose:
    """What the speaker's own blendshapes follow: L numbers in -1..1 of the rig's K coefficients.

    One layer, so that Blender can work it out of the mesh itself
    (addon/scene/faces/gaussian_head.py).
    """

    weights: Tensor  # (L, K)
    bias: Tensor  # (L,)

    def __call__(self, coefficients: Tensor) -> Tensor:
        """(K,) -> (L,); 0 at rest."""
        return torch.tanh(self.weights @ coefficients + self.bias) - torch.tanh(self.bias)


@dataclass(kw_only=True)
class BoundGaussians:
    """N Gaussians in frames of their triangles; lengths in centimetres at rest."""

    means: Tensor  # (N, 3)
    quats: Tensor  # (N, 4) wxyz, any length
    log_scales: Tensor  # (N, 3)
    opacity_logits: Tensor  # (N,)
    sh: Tensor  # (N, 4, 3)
    mean_shapes: Tensor  # (L, N, 3) added to the means by the latent pose
    color_shapes: Tensor  # (L, N, 3) added to the constant colours, as RGB
    latent: LatentPose

    def trained(self) -> dict[str, Tensor]:
        """The parameters by name."""
        names = (
            "means",
            "quats",
            "log_scales",
            "opacity_logits",
            "sh",
            "mean_shapes",
            "color_shapes",
        )
        return {
            **{name: getattr(self, name) for name in names},
            "latent_weights": self.latent.weights,
            "latent_bias": self.latent.bias,
        }

    def of_each(self) -> dict[str, Tensor]:
        """Those of them that each Gaussian has its own of."""
        return {name: t for name, t in self.trained().items() if not name.startswith("latent")}

    def on(self, device: str) -> "BoundGaussians":
        """A copy on a device."""
        t = {name: tensor.to(device) for name, tensor in self.trained().items()}
        latent = LatentPose(t.pop("latent_weights"), t.pop("latent_bias"))
        return BoundGaussians(**t, latent=latent)


@dataclass(frozen=True)
class BoundMesh:
    """The part of a rig that carries N Gaussians: only the vertices that their triangles touch."""

    rest: Tensor  # (V, 3)
    shapes: Tensor  # (K, V * 3) flat, since it is multiplied in every frame
    triangles: Tensor  # (N, 3) corners of each Gaussian's triangle
    rest_sizes: Tensor  # (N,)

    def posed(self, coefficients: Tensor) -> Tensor:
        """(V, 3)"""
        vertices: Tensor = self.rest + (coefficients @ self.shapes).view(-1, 3)
        return vertices

    def on(self, device: str) -> "BoundMesh":
        """A copy on a device."""
        return BoundMesh(
            self.rest.to(device),
            self.shapes.to(device),
            self.triangles.to(device),
            self.rest_sizes.to(device),
        )


def bound_mesh(rest: Tensor, shapes: Tensor, triangles: Tensor, where: Tensor) -> BoundMesh:
    """Of a whole rig: vertices (V, 3), shapes (K, V, 3), triangles (T, 3), and which of these carry
    the N Gaussians.
    """
    used, corners = triangles[where].unique(return_inverse=True)
    return BoundMesh(
        rest[used], shapes[:, used].flatten(1), corners, triangle_frames(rest[used], corners).sizes
    )


def place(
    model: BoundGaussians, mesh: BoundMesh, coefficients: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Means, quats, scales, opacities and SH colours (N, 4, 3) in the rig's axes, as the rasteriser
    takes them.
    """
    frames = triangle_frames(mesh.posed(coefficients), mesh.triangles)
    mixed = model.latent(coefficients)
    local = model.means + torch.tensordot(mixed, model.mean_shapes, 1)
    means, quats, scales = carry(
        frames, mesh.rest_sizes, local, model.quats, model.log_scales.exp()
    )
    constant = model.sh[:, :1] + torch.tensordot(mixed, model.color_shapes, 1)[:, None] / SH_C0
    return (
        means,
        quats,
        scales,
        model.opacity_logits.sigmoid(),
        torch.cat([constant, model.sh[:, 1:]], 1),
    )
