"""What a job thinks of its own result, as its manifest tells it. No bpy here."""

from pathlib import Path
from typing import Any

from ...backend.formats.json_file import read_record
from ...backend.protocol import InputError
from .flags import in_window

LEVELS = ("solved", "good", "weak", "failed")


def manifest_of(folder: Path) -> dict[str, Any]:
    """Of a result; empty for what other programs made."""
    try:
        return read_record(folder / "manifest.json")
    except InputError:
        return {}


def verdict_in(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """With a `level` of LEVELS; None where there is no verdict."""
    verdict = manifest.get("verdict")
    return verdict if isinstance(verdict, dict) and verdict.get("level") in LEVELS else None


def lines_of(verdict: dict[str, Any]) -> list[str]:
    """Reasons, then advice."""
    several = [verdict.get(key) for key in ("reasons", "advice")]
    texts = [str(text) for part in several if isinstance(part, list) for text in part]
    return [text[:1].upper() + text[1:] for text in texts]


def failure_in(folder: Path) -> str:
    """Why a result should not be used, and what to do; empty for one that can be."""
    verdict = verdict_in(manifest_of(folder))
    if verdict is None or verdict["level"] != "failed":
        return ""
    texts = [text.rstrip(".") for text in lines_of(verdict)] or ["The result can't be used"]
    return in_window(". ".join(texts)) + "."
