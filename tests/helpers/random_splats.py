"""Splats at random, as files hold them."""

import numpy as np

from backend.formats.splat_ply import SplatArrays


def make(count: int = 20, coefficients: int = 16) -> SplatArrays:
    """`count` of them, with a label each."""
    g = np.random.default_rng(0)
    quats = g.normal(size=(count, 4)).astype(np.float32)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    f = np.float32
    return SplatArrays(
        means=g.normal(size=(count, 3)).astype(f),
        quats=quats,
        log_scales=g.normal(-4, 1, (count, 3)).astype(f),
        opacity_logits=g.normal(size=count).astype(f),
        sh=g.normal(size=(count, coefficients, 3)).astype(f),
        extra={"label": np.arange(count, dtype=np.int32)},
    )
