"""Functions of a place and a time, as small networks: how the canonical Gaussians deform, and back,
and what colour the surface has.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class FieldConfig:
    """The paper's networks are 8 layers 256 wide, with 10 and 6 waves; small ones are what a
    processor affords.
    """

    width: int = 64
    layers: int = 4
    place_frequencies: int = 6
    time_frequencies: int = 4


PAPER = FieldConfig(256, 8, 10, 6)


def positional_encoding(values: Tensor, count: int) -> Tensor:
    """(…, D) -> (…, D * (1 + 2 count)): themselves, and sines and cosines of doubling frequency
    (Mildenhall et al. 2020, section 5.1).
    """
    angles = values[..., None] * (2.0 ** torch.arange(count, device=values.device)) * math.pi
    return torch.cat([values[..., None], angles.sin(), angles.cos()], -1).flatten(-2)


class Field(nn.Module):
    """(P, 3) places and a time -> (P, outputs), 0 everywhere at first. The places come in again at
    half depth.
    """

    def __init__(self, config: FieldConfig, outputs: int) -> None:
        super().__init__()
        self.config = config
        inputs = 3 * (1 + 2 * config.place_frequencies) + 1 + 2 * config.time_frequencies
        self.skip = config.layers // 2
        widths = [inputs, *[config.width] * (config.layers - 1)]
        self.layers = nn.ModuleList(
            nn.Linear(wide + (inputs if number == self.skip and number else 0), config.width)
            for number, wide in enumerate(widths)
        )
        self.last = nn.Linear(config.width, outputs)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, places: Tensor, time: float) -> Tensor:
        """(P, 3) places and a time in 0..1 to what is asked of the field, a row a place."""
        view = positional_encoding(places.new_tensor([time]), self.config.time_frequencies).expand(
            len(places), -1
        )
        given = torch.cat([positional_encoding(places, self.config.place_frequencies), view], 1)
        values = given
        for number, layer in enumerate(self.layers):
            if number == self.skip and number:
                values = torch.cat([values, given], 1)
            values = torch.relu(layer(values))
        field_values: Tensor = self.last(values)
        return field_values


@dataclass(frozen=True)
class Offsets:
    """What a deformation adds to P Gaussians."""

    means: Tensor  # (P, 3)
    quats: Tensor  # (P, 4)
    log_scales: Tensor  # (P, 3)
    normals: Tensor  # (P, 3)

    @property
    def rows(self) -> Tensor:
        """(P, 13)"""
        return torch.cat([self.means, self.quats, self.log_scales, self.normals], 1)


class Deformation(nn.Module):
    """One way through time: from canonical space to a moment, or back. Normals have a network of
    their own, for they come in late.
    """

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.motion, self.turning = Field(config, 10), Field(config, 3)

    def forward(self, places: Tensor, time: float) -> Offsets:
        """(P, 3) places and a time in 0..1 to what is asked of the field, a row a place."""
        means, quats, log_scales = self.motion(places, time).split([3, 4, 3], 1)
        return Offsets(means, quats, log_scales, self.turning(places, time))
