"""Praat's TextGrid, in its short form: tiers of labelled intervals."""

from pathlib import Path


def intervals(path: Path) -> dict[str, list[tuple[float, float, str]]]:
    """By tier: start, end, label."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    found, at = {}, 7  # after the header, its times and the number of tiers
    while at < len(lines) and lines[at] == '"IntervalTier"':
        name, count = lines[at + 1].strip('"'), int(lines[at + 4])
        rows = lines[at + 5 : at + 5 + 3 * count]
        found[name] = [
            (float(rows[k]), float(rows[k + 1]), rows[k + 2].strip('"'))
            for k in range(0, 3 * count, 3)
        ]
        at += 5 + 3 * count
    return found
