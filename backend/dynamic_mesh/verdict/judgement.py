"""The judgement on a reconstruction: good, weak or failed, why, and what to film differently.
Evidence in, words out.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from .evidence import MeshEvidence

Level = Literal["good", "weak", "failed"]


@dataclass(frozen=True, kw_only=True)
class JudgementConfig:
    """Where doubt begins, and where there is no hope. Checked on clips with exact truth, good and
    spoilt: `make bench ROOM=dynamic_mesh PART=verdicts`.
    """

    outline: float = 0.85
    part: float = 0.7
    psnr: float = 17.0
    unseen: float = 0.4
    followed: float = 0.7
    crossing: float = 0.03
    hopeless_outline: float = 0.65
    hopeless_psnr: float = 13.0
    hopeless_followed: float = 0.2


@dataclass(frozen=True, kw_only=True)
class MeshVerdict:
    """`reasons` say what is wrong with it, `advice` what to film or to set differently."""

    level: Level
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    evidence: MeshEvidence

    def as_json(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {
            "level": self.level,
            "reasons": list(self.reasons),
            "advice": list(self.advice),
            "evidence": asdict(self.evidence),
        }


CHECK_MASKS = "Look at object.png: the masks must show the object alone, whole, in every picture."
AROUND = "Film it from more sides, moving around it while it moves."
SLOWER = "Film with more frames a second, or move the camera more slowly."
CLOSER = "Film it larger and sharper, in more light."
UNCOVERED = "Film it with nothing in front, or paint what hides it gray (128) in the masks."
HOLD_OUT = "Hold pictures out (--holdout 8), so that the result can be checked."
BETTER_PRESET = "Try the preset Best."


def _doubts(e: MeshEvidence, config: JudgementConfig) -> list[tuple[str, tuple[str, ...]]]:
    """Pairs of what is wrong and what would help."""
    doubts: list[tuple[str, tuple[str, ...]]] = []
    if e.outline is None or e.psnr_inside is None or e.worst_outline is None:
        doubts.append(("no picture was held out to check it by", (HOLD_OUT,)))
    else:
        if e.outline < config.outline:
            doubts.append(
                (f"its outline is {e.outline:.0%} right only", (CHECK_MASKS, UNCOVERED, SLOWER))
            )
        elif e.worst_outline < config.part:
            doubts.append(
                (
                    f"the {e.worst_part} third of its outline is {e.worst_outline:.0%} right only: "
                    f"what moves there is not followed well",
                    (SLOWER, BETTER_PRESET),
                )
            )
        if e.psnr_inside < config.psnr:
            doubts.append(
                (f"its colours are {e.psnr_inside:.0f} dB like the pictures' only", (CLOSER,))
            )
    if e.unseen is not None and e.unseen > config.unseen:
        doubts.append((f"{e.unseen:.0%} of its surface is in no picture: a guess", (AROUND,)))
    if e.followed is not None and e.followed < config.followed:
        doubts.append(
            (f"it makes {max(0.0, e.followed):.0%} of the movements that are seen", (SLOWER,))
        )
    if e.crossing > config.crossing:
        doubts.append((f"{e.crossing:.0%} of its faces pass through others", (AROUND,)))
    return doubts


def _hopeless(e: MeshEvidence, config: JudgementConfig) -> bool:
    return (
        (e.outline is not None and e.outline < config.hopeless_outline)
        or (e.psnr_inside is not None and e.psnr_inside < config.hopeless_psnr)
        or (e.followed is not None and e.followed < config.hopeless_followed)
    )


def judge(evidence: MeshEvidence, config: JudgementConfig = JudgementConfig()) -> MeshVerdict:
    """Any doubt makes a mesh weak; one that is not what the pictures show, or doesn't move as they
    do, has failed.
    """
    doubts = _doubts(evidence, config)
    level: Level = "failed" if _hopeless(evidence, config) else "weak" if doubts else "good"
    return MeshVerdict(
        level=level,
        reasons=tuple(reason for reason, _ in doubts),
        advice=tuple(dict.fromkeys(text for _, several in doubts for text in several)),
        evidence=evidence,
    )


def in_sentences(verdict: MeshVerdict) -> str:
    """Why it is not good, and what to do."""
    begin = "This mesh can't be used" if verdict.level == "failed" else "This mesh is weak"
    return " ".join([f"{begin}: {'; '.join(verdict.reasons)}.", *verdict.advice])
