"""How far a job is as a whole, and how long it still takes: its own progress within a stage, and
of the other stages what they took the last time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

UNKNOWN = -1.0
MOST = 0.95  # of a stage that tells nothing of itself, however long it takes


@dataclass(kw_only=True)
class StageNow:
    """The stage that runs: number `index` (from 1) of `count`, its own progress, if it tells any
    (`total` above 0), seconds left in it (`eta`, negative while unknown) and since its start.
    """

    name: str
    index: int
    count: int
    step: int
    total: int
    eta: float
    elapsed: float


def share_of(now: StageNow, usual: Mapping[str, float]) -> float:
    """0 to 1 of the whole job. `usual`: seconds of every stage the last time, in their order;
    without the present one among them all stages count alike.
    """
    if not now.count:
        return 0.0
    within = _within(now, usual)
    whole = sum(usual.values())
    if now.name not in usual or whole <= 0:
        return min(1.0, (max(now.index, 1) - 1 + within) / now.count)
    return min(1.0, (whole - _after(now, usual) - usual[now.name] * (1 - within)) / whole)


def seconds_left(now: StageNow, usual: Mapping[str, float]) -> float:
    """Of the whole job; UNKNOWN where the last time says nothing of this stage, unless it is the
    last one.
    """
    if now.name not in usual:
        return now.eta if now.count and now.index >= now.count else UNKNOWN
    here = now.eta if now.eta >= 0 else max(0.0, usual[now.name] - now.elapsed)
    left = here + _after(now, usual)
    return left if left > 0 else UNKNOWN


def _after(now: StageNow, usual: Mapping[str, float]) -> float:
    names = list(usual)
    return sum(usual[name] for name in names[names.index(now.name) + 1 :])


def _within(now: StageNow, usual: Mapping[str, float]) -> float:
    """0 to 1 of the stage: as it says itself, else by the clock."""
    if now.total:
        return min(1.0, now.step / now.total)
    seconds = usual.get(now.name, 0.0)
    return min(MOST, now.elapsed / seconds) if seconds > 0 else 0.0
