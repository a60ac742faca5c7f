"""When the pictures of footage were taken, and how many of them there are a second. numpy alone."""

from collections.abc import Sequence

import numpy as np

from ..geometry.arrays import Doubles

SYNTHETIC_FPS = 24.0  # of clips whose times run from 0 to 1, as D-NeRF writes them
# what is filmed with, from few to many: the first whose frames meet all times
RATES = (
    *(12.0, 15.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 48000 / 1001, 48.0, 50.0),
    *(60000 / 1001, 60.0, 90.0, 100.0, 120000 / 1001, 120.0, 240.0),
)
MEETS = 0.03  # frames: how far from a whole one a time may be
LEAST_FPS, MOST_FPS = 1 / 60, 240.0  # pictures that are further apart are no footage
LONGEST = 1_000_000  # frames that a timeline can hold


def seconds_of(times: Sequence[float | None], told: float = 0.0) -> Doubles | None:
    """(N,) seconds since the earliest of times (N,), in the order of the pictures; None where not
    all have one. Where the footage has told no frame rate, many times from 0 to 1 are shares.
    """
    known = [t for t in times if t is not None]
    if not known or len(known) < len(times):
        return None
    seconds = np.array(known, np.float64) - min(known)
    distinct, longest = len(np.unique(seconds)), float(seconds.max())
    if not told and 0 < longest <= 1.0 + 1e-9 and distinct / longest > 60:
        seconds = seconds / longest * (distinct - 1) / SYNTHETIC_FPS
    return seconds


def frame_rate(seconds: Doubles, told: float = 0.0) -> float:
    """Frames a second of footage whose pictures were taken at seconds (N,): what it tells itself;
    else what its times tell, even steps or a usual rate whose frames they are. 0 where nothing
    does.
    """
    if 0 < told <= 1000 and np.ptp(seconds) * told < LONGEST:
        return told
    steps = np.diff(np.unique(seconds))
    if not len(steps):
        return 0.0
    mean = float(steps.mean())
    if np.abs(steps - mean).max() < 0.02 * mean:
        return min(1 / mean, MOST_FPS) if 1 / mean >= LEAST_FPS else 0.0
    start = float(seconds.min())
    for rate in RATES:
        frames = (seconds - start) * rate
        if np.abs(frames - np.round(frames)).max() < MEETS and steps.min() * rate > 0.5:
            return rate
    usual = float(1 / np.median(steps))
    return min(usual, MOST_FPS) if usual >= LEAST_FPS else 0.0
