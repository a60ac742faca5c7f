"""What a preset and the user's own options make of an animated mesh's reconstruction."""

import math
from dataclasses import dataclass, replace

from ..protocol import Preset
from .footage.load import FootageConfig
from .free.config import FreeConfig, as_published
from .mesh_verb import PRESETS, MeshOptions, MeshPreset
from .surfaces.poisson import PoissonConfig
from .template.canonical_gaussians import CanonicalConfig
from .texture.paint import PaintConfig
from .tracked.config import TrackedConfig
from .tracked.fit import TrackedFitConfig

PRESET_MOMENTS = 50  # of the clip that a preset's steps are for
MOST_STEPS = 2.0  # times the preset's, for long clips


@dataclass(frozen=True)
class MeshConfig:
    """Both modes; only one of them is used."""

    footage: FootageConfig
    tracked: TrackedConfig
    free: FreeConfig


def make_config(preset: Preset, options: MeshOptions, device: str = "cpu") -> MeshConfig:
    """The preset with what the user set; on CUDA the best free-topology mesh is the paper's."""
    row = PRESETS[preset]
    footage = FootageConfig(options.side or row.side)
    free = _free(preset, row, device)
    if options.steps:
        free = replace(free, steps=options.steps)
    return MeshConfig(footage, _tracked(row, options), free)


def lengthened(config: TrackedConfig, moments: int) -> TrackedConfig:
    """More steps of the fit for a longer clip, as the square root of its moments, up to twice as
    many: waves grow alike, and neighbouring moments show much the same.
    """
    more = min(MOST_STEPS, max(1.0, math.sqrt(moments / PRESET_MOMENTS)))
    return replace(config, fit=replace(config.fit, steps=round(more * config.fit.steps)))


def _tracked(row: MeshPreset, options: MeshOptions) -> TrackedConfig:
    steps, template_steps = row.steps, row.template_steps
    if options.steps:  # the template gets its share of them
        steps, template_steps = options.steps, max(1, round(template_steps * options.steps / steps))
    canonical = CanonicalConfig(
        steps=template_steps,
        count=row.template_gaussians,
        resolution=row.template_resolution,
        faces=options.faces or row.faces,
    )
    fit = TrackedFitConfig(steps=steps, nodes=row.nodes)
    return TrackedConfig(canonical, fit, PaintConfig(size=options.texture or row.texture))


def _free(preset: Preset, row: MeshPreset, device: str) -> FreeConfig:
    if device.startswith("cuda") and preset == "best":
        return as_published(FreeConfig(), row.free_steps_cuda)
    return FreeConfig(
        steps=row.free_steps,
        count=row.free_gaussians,
        poisson=PoissonConfig(row.free_cells, row.free_blur),
    )
