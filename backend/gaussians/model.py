"""The Gaussian model: its parameters as torch leaves, and the way to files and back."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..formats.splat_ply import SplatArrays
from ..geometry.spherical_harmonics import coefficient_count


@dataclass(kw_only=True)
class Gaussians:
    """N Gaussians in the parametrisation that is trained (Kerbl et al. 2023)."""

    means: Tensor  # (N, 3)
    quats: Tensor  # (N, 4) wxyz, any length
    log_scales: Tensor  # (N, 3)
    opacity_logits: Tensor  # (N,)
    # (N, 1, 3) constant colour; apart from the rest because it learns twenty times as fast
    sh0: Tensor
    sh_rest: Tensor  # (N, K - 1, 3)

    def __len__(self) -> int:
        return len(self.means)

    @property
    def scales(self) -> Tensor:
        """(N, 3) standard deviations."""
        return self.log_scales.exp()

    @property
    def opacities(self) -> Tensor:
        """(N,) 0..1, after the sigmoid."""
        return self.opacity_logits.sigmoid()

    def sh(self, degree: int) -> Tensor:
        """(N, (degree + 1)^2, 3): the coefficients up to `degree`."""
        return torch.cat([self.sh0, self.sh_rest[:, : coefficient_count(degree) - 1]], 1)

    @property
    def sh_degree(self) -> int:
        """0 to 3, from the number of SH coefficients."""
        return int((self.sh_rest.shape[1] + 1) ** 0.5) - 1

    def named(self) -> dict[str, Tensor]:
        """The parameters by name, in a fixed order."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to_arrays(self) -> SplatArrays:
        """For files; quaternions come out normalised."""
        means, quats, log_scales, opacity_logits, sh0, sh_rest = (
            t.detach().float().cpu() for t in self.named().values()
        )
        quats = torch.nn.functional.normalize(quats, dim=1)
        sh = torch.cat([sh0, sh_rest], 1)
        return SplatArrays(
            means=means.numpy(),
            quats=quats.numpy(),
            log_scales=log_scales.numpy(),
            opacity_logits=opacity_logits.numpy(),
            sh=sh.numpy(),
        )


def from_arrays(arrays: SplatArrays, device: str = "cpu") -> Gaussians:
    """Copies what a file held onto a device."""

    def copy(values: NDArray[np.float32]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    return Gaussians(
        means=copy(arrays.means),
        quats=copy(arrays.quats),
        log_scales=copy(arrays.log_scales),
        opacity_logits=copy(arrays.opacity_logits),
        sh0=copy(arrays.sh[:, :1]),
        sh_rest=copy(arrays.sh[:, 1:]),
    )
