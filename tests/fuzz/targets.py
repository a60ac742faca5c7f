"""The registry: every reader that gets files, lines or arrays from elsewhere."""

from . import array_targets, capture_targets, kernel_targets, media_targets, splat_targets
from .target import Target

TARGETS: tuple[Target, ...] = (
    *splat_targets.TARGETS,
    *array_targets.TARGETS,
    *capture_targets.TARGETS,
    *media_targets.TARGETS,
    *kernel_targets.TARGETS,
)
BY_NAME = {target.name: target for target in TARGETS}
