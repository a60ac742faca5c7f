"""What is to be solved, what a solver answers, and the estimate that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ...geometry.arrays import Ints
from ...media.tracks.tracks import Tracks
from ..bundle.adjust import Prior
from ..bundle.state import (
    Reconstruction,
)
from ..bundle.uncertainty import Uncertainty
from ..solvers.rotation import RotationConfig
from ..solvers.straight import StraightConfig
from .refine import RefineConfig
from .verdict import Verdict, VerdictConfig

Progress = Callable[[int, int], None]  # step, total; may raise to cancel


@dataclass(frozen=True, kw_only=True)
class EstimateConfig:
    """What the parts are told. Pixels are those of a picture 320 wide."""

    turning_px: float = 0.8  # median error up to which a camera that only turns is believed
    parallax: float = 0.5  # a moving camera must lower the turning one's error to this share
    held_out: float = 0.12
    agree: float = 0.006  # apart up to which two solvers need no third
    straight: StraightConfig = field(default_factory=StraightConfig)
    rotation: RotationConfig = field(default_factory=RotationConfig)
    refine: RefineConfig = field(default_factory=RefineConfig)
    verdict: VerdictConfig = field(default_factory=VerdictConfig)


@dataclass(frozen=True)
class SolverResult:
    """Cameras as a solver left them."""

    name: str
    frames: Ints
    solve: Reconstruction


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is to be solved. `followed` are tracks from frame to frame."""

    frames: int
    size: tuple[int, int]
    klt_tracks: Tracks
    prior: Prior | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The result; `solve` has a point for every track of `tracks` (frames renumbered as in
    `frames`).
    """

    solver: str
    frames: Ints
    solve: Reconstruction
    tracks: Tracks
    verdict: Verdict
    uncertainty: Uncertainty
