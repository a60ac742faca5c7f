"""Everything that training can be told, and what the presets and the user's options make of it."""

from dataclasses import dataclass, field

from ..formats.splat_notes import Blend
from ..media.holdout import check_holdout
from ..protocol import InputError, Preset
from .novel_cameras import NovelConfig
from .splats_verb import PRESETS, SplatsOptions
from .surroundings import SurroundingsConfig


@dataclass(frozen=True, kw_only=True)
class LearningRates:
    """Adam's steps (Kerbl et al. 2023, section 7.1 and their code); `means` is multiplied by the
    scene's extent.
    """

    means: float = 1.6e-4
    means_final: float = 1.6e-6
    quats: float = 1e-3
    log_scales: float = 5e-3
    opacity_logits: float = 5e-2
    sh0: float = 2.5e-3
    sh_rest: float = 2.5e-3 / 20
    cameras: float = 2e-5
    exposure: float = 2e-3
    exposure_known: float = 2e-4  # where depth told it before the training


@dataclass(frozen=True, kw_only=True)
class DensifyConfig:
    """Relocation and growth as in 3DGS-MCMC (Kheradmand et al. 2024)."""

    # how often in a training; the growth is such that the limit is reached by `full`
    times: int = 60
    start: float = 0.02  # shares of the training
    stop: float = 0.8
    full: float = 0.5
    max_growth: float = 1.2
    dead_opacity: float = 0.005
    noise: float = 5e5
    opacity_weight: float = 0.01
    scale_weight: float = 0.01


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run."""

    steps: int
    max_splats: int
    max_pixels: int
    holdout: int = 8
    beyond: bool = False  # whether an end of the path is held out too
    sh_degree: int = 3
    sh_shares: tuple[float, ...] = (
        0.08,
        0.2,
        0.35,
    )  # when degrees 1, 2, 3 join, as shares of the training
    coarse_share: float = 0.25  # how long pictures of half the size are used
    ssim_weight: float = 0.2
    initial_opacity: float = 0.3
    refine_cameras: bool = False
    exposure: bool = False
    exposure_spread: float = 0.03  # of log brightness, from which it is allowed unasked
    antialiased: bool = False
    blend: Blend = "srgb"
    # how long splats for Blender are drawn as they are projected, before rays meet them: on dark
    # things (seed 7, 1,500 steps) 35.5 instead of 35.0 dB, in two thirds of the time
    projected_share: float = 0.6
    rates: LearningRates = LearningRates()
    densify: DensifyConfig = DensifyConfig()
    surroundings: SurroundingsConfig = field(default_factory=SurroundingsConfig)
    novel: NovelConfig = field(default_factory=NovelConfig)
    previews: int = 12  # pictures shown during the training
    evaluations: int = 10


def make_config(preset: Preset, options: SplatsOptions) -> TrainConfig:
    """The preset with the user's options on top."""
    check_holdout(options.holdout)
    if 0 < options.max_splats < 100:
        raise InputError(f"--max-splats {options.max_splats} is too few.", "Choose 100 at least.")
    row = PRESETS[preset]
    return TrainConfig(
        steps=options.steps or row.steps,
        max_splats=options.max_splats or row.max_splats,
        max_pixels=options.max_pixels or row.max_pixels,
        holdout=options.holdout,
        beyond=options.beyond,
        sh_degree=options.sh_degree,
        refine_cameras=options.refine_cameras,
        exposure=options.exposure,
        # Blender draws splats as the shapes in space that they are; without the filter they would
        # be trained to be blurred by a third of a pixel on the screen, and be too thin there
        antialiased=options.antialiased or options.blend == "linear",
        blend=options.blend,
    )
