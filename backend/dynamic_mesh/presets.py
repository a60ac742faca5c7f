"""What Fast, Balanced and Best mean for an animated mesh."""

from dataclasses import dataclass, replace

from ..protocol import MeshOptions
from .footage import FootageConfig
from .template.canonical_gaussians import CanonicalConfig
from .texture.paint import PaintConfig
from .tracked.fit import FitConfig


@dataclass(frozen=True)
class MeshConfig:
    footage: FootageConfig
    canonical: CanonicalConfig
    fit: FitConfig
    paint: PaintConfig


PRESETS = {
    "fast": MeshConfig(FootageConfig(160), CanonicalConfig(steps=1000, faces=3000), FitConfig(steps=2000), PaintConfig(256, 300)),
    "balanced": MeshConfig(FootageConfig(200), CanonicalConfig(), FitConfig(steps=6000), PaintConfig(512, 800)),
    "best": MeshConfig(
        FootageConfig(320), CanonicalConfig(steps=3000, count=12000, resolution=112, faces=12000), FitConfig(steps=15000, nodes=120),
        PaintConfig(1024, 2000),
    ),
}  # fmt: skip


def make_config(preset: str, options: MeshOptions) -> MeshConfig:
    """The preset with what the user set himself."""
    config = PRESETS[preset]
    if options.faces:
        config = replace(config, canonical=replace(config.canonical, faces=options.faces))
    if options.steps:
        config = replace(config, fit=replace(config.fit, steps=options.steps))
    if options.side:
        config = replace(config, footage=replace(config.footage, side=options.side))
    if options.texture:
        config = replace(config, paint=replace(config.paint, size=options.texture))
    return config
