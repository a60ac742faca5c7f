"""The judgement on a solve: solved, weak or failed, why, and what to film differently. Evidence in,
words out.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["solved", "weak", "failed"]
Kind = Literal["moving", "turning"]


@dataclass(frozen=True, kw_only=True)
class SolveEvidence:
    """What is known of a solve. Pixels are those of a picture 320 wide; shares run 0..1."""

    placed: float  # share of the pictures with a camera
    inliers: float  # share of the observations that the cameras explain
    held_out_px: float  # median error of tracks that had no say
    focal_sigma: float  # relative standard deviation; 0 where the lens was given
    drift_sigma: float  # of the positions, as a share of the path
    field_of_view: float  # degrees, of the longer side
    second_opinion: str = ""  # the solver that was compared
    apart: float = (
        math.inf
    )  # root mean square between the two solvers' positions, as a share of the path
    focal_apart: float = math.inf  # relative
    mirror: float = math.inf  # error of the hollow-face twin over that of the solve
    expected_focal: float = 0.0  # relative to the solve's, from EXIF or the user; 0 unknown
    # there are tracks from frame to frame, which solvers other than COLMAP can work from
    confirmable: bool = True
    # error of the best of the solvers that disagree over that of this one
    cross_check_error: float = 1.0


@dataclass(frozen=True, kw_only=True)
class VerdictConfig:
    """Where doubt begins. Checked on clips with exact truth: `make bench ROOM=suite`."""

    placed: float = 0.9
    inliers: float = 0.6
    held_out_px: float = 0.8
    focal_sigma: float = 0.04
    drift_sigma: float = 0.008
    apart: float = 0.01
    focal_apart: float = 0.05
    mirror: float = 1.15
    widest: float = 130.0
    narrowest: float = 3.0
    expected_focal: float = 0.15
    # what photos must show beyond doubt where only COLMAP could look at them
    alone_inliers: float = 0.9
    alone_px: float = 0.4
    alone_focal: float = 0.01
    alone_drift: float = 0.002
    outvoted: float = 1.5  # `rival` from which disagreement says nothing, if this one is firm
    outvoted_focal: float = 0.03
    outvoted_drift: float = 0.004
    hopeless_inliers: float = 0.3
    hopeless_px: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`reasons` say what is uncertain, `advice` what to film or to set differently."""

    level: Level
    kind: Kind
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    evidence: SolveEvidence

    def as_json(self) -> dict[str, Any]:
        """Plain values for the manifest; what is infinite is None there."""
        evidence = {
            k: (v if not isinstance(v, float) or math.isfinite(v) else None)
            for k, v in asdict(self.evidence).items()
        }
        return {
            "level": self.level,
            "kind": self.kind,
            "reasons": list(self.reasons),
            "advice": list(self.advice),
            "evidence": evidence,
        }


SIDEWAYS = "Move the camera sideways around the subject, by a tenth of its distance or more."
LENS = "Set the focal length if you know it (--focal-mm)."
STILL_WORLD = "Film things that stand still, or give masks of what moves."
OVERLAP = "Film more slowly, with more overlap, in good light."


def _doubts(e: SolveEvidence, kind: Kind, config: VerdictConfig) -> list[tuple[str, str]]:
    """Pairs of what is uncertain and what would help."""
    doubts = []
    if e.placed < config.placed:
        doubts.append((f"only {e.placed:.0%} of the pictures could be placed", OVERLAP))
    if e.inliers < config.inliers:
        doubts.append(
            (f"{1 - e.inliers:.0%} of the tracked points move in their own way", STILL_WORLD)
        )
    if e.held_out_px > config.held_out_px:
        doubts.append(
            (
                "the pictures do not quite fit a rigid world: blur, a rolling shutter, or a strong "
                "lens",
                OVERLAP,
            )
        )
    if e.focal_sigma > config.focal_sigma:
        doubts.append((f"the focal length is known to {min(e.focal_sigma, 1):.0%} only", LENS))
    if kind == "moving" and e.drift_sigma > config.drift_sigma:
        doubts.append(
            (f"positions are known to {min(e.drift_sigma, 1):.1%} of the path only", SIDEWAYS)
        )
    if kind == "moving" and e.mirror < config.mirror:
        doubts.append(("near and far could be swapped", SIDEWAYS))
    if not config.narrowest < e.field_of_view < config.widest:
        doubts.append((f"a field of view of {e.field_of_view:.0f} degrees is implausible", LENS))
    if e.expected_focal and abs(math.log(e.expected_focal)) > config.expected_focal:
        doubts.append(("the focal length is not the one that was expected", LENS))
    return doubts + _disagreement(e, kind, config)


def _disagreement(e: SolveEvidence, kind: Kind, config: VerdictConfig) -> list[tuple[str, str]]:
    if (
        kind == "turning"
        or (not e.confirmable and _stands_alone(e, config))
        or _outvotes(e, config)
    ):
        return []
    if not e.second_opinion:
        return [("no second solver could confirm it", OVERLAP)]
    if e.apart > config.apart:
        return [(f"another solver ({e.second_opinion}) places the cameras elsewhere", SIDEWAYS)]
    if e.focal_apart > config.focal_apart:
        return [(f"another solver ({e.second_opinion}) finds another focal length", LENS)]
    return []


def _stands_alone(e: SolveEvidence, config: VerdictConfig) -> bool:
    """Photos from all sides hold the cameras so firmly that another solver's failure says
    nothing.
    """
    firm = e.focal_sigma < config.alone_focal and e.drift_sigma < config.alone_drift
    return (
        firm
        and e.inliers > config.alone_inliers
        and e.held_out_px < config.alone_px
        and e.placed >= config.placed
    )


def _outvotes(e: SolveEvidence, config: VerdictConfig) -> bool:
    """Who says otherwise explains the pictures far worse than a solve that nearly all tracks hold
    firmly.
    """
    firm = e.focal_sigma < config.outvoted_focal and e.drift_sigma < config.outvoted_drift
    clean = (
        e.inliers > config.alone_inliers
        and e.held_out_px < config.alone_px
        and e.placed >= config.placed
    )
    return e.cross_check_error >= config.outvoted and firm and clean and e.mirror >= config.mirror


def judge(evidence: SolveEvidence, kind: Kind, config: VerdictConfig) -> Verdict:
    """Any doubt makes a solve weak; a solve that explains next to nothing, or is held by nothing,
    has failed.
    """
    doubts = _doubts(evidence, kind, config)
    hopeless = (
        evidence.inliers < config.hopeless_inliers
        or not evidence.held_out_px < config.hopeless_px
        or not evidence.focal_sigma < 1
    )
    level: Level = "failed" if hopeless else "weak" if doubts else "solved"
    advice = tuple(dict.fromkeys(a for _, a in doubts))
    return Verdict(
        level=level,
        kind=kind,
        reasons=tuple(r for r, _ in doubts),
        advice=advice,
        evidence=evidence,
    )


def in_words(verdict: Verdict) -> str:
    """One line."""
    if verdict.level == "solved":
        return (
            "solved"
            if verdict.kind == "moving"
            else "solved, as a camera that only turns: there is no depth to be had"
        )
    return f"{verdict.level}: {'; '.join(verdict.reasons) or 'the tracks do not hold the cameras'}"
