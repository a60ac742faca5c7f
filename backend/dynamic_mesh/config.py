"""What Fast, Balanced and Best mean for an animated mesh."""

from dataclasses import dataclass, field, replace

from ..protocol import MeshOptions
from .footage.load import FootageConfig
from .free.config import FreeConfig, as_published
from .surfaces.poisson import PoissonConfig
from .template.canonical_gaussians import CanonicalConfig
from .texture.paint import PaintConfig
from .tracked.fit import FitConfig


@dataclass(frozen=True)
class MeshConfig:
    footage: FootageConfig
    canonical: CanonicalConfig
    fit: FitConfig
    paint: PaintConfig
    free: FreeConfig = field(default_factory=FreeConfig)


PRESETS = {
    "fast": MeshConfig(
        FootageConfig(160),
        CanonicalConfig(steps=1000, faces=3000),
        FitConfig(steps=2000),
        PaintConfig(256),
        FreeConfig(steps=700, count=4000, poisson=PoissonConfig(48, 0.8)),
    ),
    "balanced": MeshConfig(
        FootageConfig(200), CanonicalConfig(), FitConfig(steps=6000), PaintConfig(512)
    ),
    "best": MeshConfig(
        FootageConfig(320),
        CanonicalConfig(steps=3000, count=12000, resolution=112, faces=12000),
        FitConfig(steps=15000, nodes=120),
        PaintConfig(1024),
        FreeConfig(steps=4000, count=12000, poisson=PoissonConfig(96, 1.2)),
    ),
}


def make_config(preset: str, options: MeshOptions, device: str = "cpu") -> MeshConfig:
    """The preset with what the user set himself; on CUDA the best free-topology mesh is the
    paper's.
    """
    config = PRESETS[preset]
    if device.startswith("cuda") and preset == "best":
        config = replace(config, free=as_published(config.free))
    if options.faces:
        config = replace(config, canonical=replace(config.canonical, faces=options.faces))
    if options.steps:
        before = max(
            1, round(config.canonical.steps * options.steps / config.fit.steps)
        )  # the template gets its share of them
        config = replace(
            config,
            canonical=replace(config.canonical, steps=before),
            fit=replace(config.fit, steps=options.steps),
            free=replace(config.free, steps=options.steps),
        )
    if options.side:
        config = replace(config, footage=replace(config.footage, side=options.side))
    if options.texture:
        config = replace(config, paint=replace(config.paint, size=options.texture))
    return config
