"""How much work each preset puts into a Gaussian head."""

from ...protocol import Preset
from .learn import LearnConfig
from .training import HeadTrainingConfig

PRESETS: dict[Preset, LearnConfig] = {
    "fast": LearnConfig(
        gaussians=10_000, side=256, frames=80, training=HeadTrainingConfig(steps=500)
    ),
    "balanced": LearnConfig(),
    "best": LearnConfig(
        gaussians=50_000, side=512, frames=400, training=HeadTrainingConfig(steps=5000)
    ),
}
