"""What a tracked reconstruction can be told: of its template, its fit and its texture."""

from dataclasses import dataclass

from ..template.canonical_gaussians import CanonicalConfig
from ..texture.paint import PaintConfig
from .fit import TrackedFitConfig


@dataclass(frozen=True)
class TrackedConfig:
    """The three parts of the work, in their order."""

    canonical: CanonicalConfig
    fit: TrackedFitConfig
    paint: PaintConfig
