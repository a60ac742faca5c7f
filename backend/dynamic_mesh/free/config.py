"""What a free-topology reconstruction can be told. Shares are of the steps, and are the paper's
iterations over its 25,000.
"""

from dataclasses import dataclass, field, replace

from ..surfaces.anchoring import AnchorConfig
from ..surfaces.poisson import PoissonConfig
from . import fields
from .fields import FieldConfig


@dataclass(frozen=True, kw_only=True)
class FreeWeights:
    """Of the losses; pictures count by the pixels that the object covers, and the mesh's as much as
    the splats'.
    """

    mask: float = 5.0
    color: float = 10.0
    cycle: float = 1.0
    anchor: float = 1.0
    smooth: float = 300.0


@dataclass(frozen=True, kw_only=True)
class FreeRates:
    """Of Adam; the paper's are lower, for it takes twenty times as many steps."""

    means: float = 1e-3
    quats: float = 1e-3
    log_scales: float = 5e-3
    opacity_logits: float = 3e-2
    colors: float = 3e-2
    normals: float = 5e-3
    networks: float = 1e-3
    level: float = 1e-3


@dataclass(frozen=True, kw_only=True)
class FreeConfig:
    """`warm_up`: until then nothing moves; `surface_from`: the mesh joins, and for `normals_only`
    it teaches only normals; `turning_from`: normals deform too; `anchor_from`, every
    `anchor_every`: Gaussians are spread one a face.
    """

    steps: int = 1400
    count: int = 6000
    warm_up: float = 0.12
    surface_from: float = 0.4
    normals_only: float = 0.04
    turning_from: float = 0.48
    anchor_from: float = 0.64
    anchor_every: float = 0.004
    half_until: float = 0.4
    inside: float = 0.55  # share of the pictures in which a place must be inside to get Gaussians
    network: FieldConfig = field(default_factory=FieldConfig)
    poisson: PoissonConfig = field(default_factory=lambda: PoissonConfig(64, 1.0))
    anchor: AnchorConfig = field(default_factory=AnchorConfig)
    weights: FreeWeights = field(default_factory=FreeWeights)
    rates: FreeRates = field(default_factory=FreeRates)


def as_published(config: FreeConfig, steps: int) -> FreeConfig:
    """The paper's sizes: a grid of 288 cells, 100,000 Gaussians, its networks, its rates. For
    CUDA.
    """
    rates = replace(config.rates, means=8e-4, normals=1e-3, networks=8e-4)
    return replace(
        config,
        steps=steps,
        count=100_000,
        network=fields.PAPER,
        poisson=PoissonConfig(288, 3.0),
        rates=rates,
    )
