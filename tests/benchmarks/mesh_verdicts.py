"""`PART=verdicts`: whether what a mesh's job thinks of its result is true, on clips with exact
truth, good and spoilt.

Nothing of the judgement may be chosen on HELD_OUT.
"""

import os
from pathlib import Path

from backend.formats import capture, mesh_sequence
from tests.benchmarks.mesh_clips import compare, film, read_truth, sheet, usable
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.spoilt_clips import CHANGES, spoil
from tests.benchmarks.table import Row, Table, say

TUNED, HELD_OUT = ("monkey", "knight"), ("torus", "fox")
LEVELS = {"failed": 0.0, "weak": 1.0, "good": 2.0}
# of the truth: from a quarter further around, and in the mean distance of the surfaces
GOOD_IOU, GOOD_CD, BAD_IOU, BAD_CD = 0.8, 3.0, 0.6, 6.0
OPTIONS = {"unfinished": ["--steps", "40"]}


def run(table: Table, folder: Path, wanted: tuple[str, ...], preset: str) -> None:
    """Rows for every clip, and how many verdicts are wrong."""
    wrong: dict[str, list[str]] = {"useless called good": [], "useful called failed": []}
    names = [n for n in usable((*TUNED, *HELD_OUT)) if not wanted or n in wanted]
    only = os.environ.get("HOW", "")
    for name in names:
        for how in CHANGES:
            if only and how not in only.split(","):
                continue
            case = f"{name}, {how}"
            judged = _one(table, folder, name, how, preset, case)
            if judged is None:
                continue
            level, truth = judged
            table.add(Row(case, "verdict (0 failed, 1 weak, 2 good)", LEVELS[level]))
            if _useless(truth) and level == "good":
                wrong["useless called good"].append(case)
            if _useful(truth) and level == "failed":
                wrong["useful called failed"].append(case)
    for what, cases in wrong.items():
        say(f"{what}: {', '.join(cases) or 'none'}")
        table.add(Row("verdicts", what, float(len(cases))))


def _useful(truth: dict[str, float]) -> bool:
    return truth["IoU at +90 degrees"] >= GOOD_IOU and truth["L1 CD %"] <= GOOD_CD


def _useless(truth: dict[str, float]) -> bool:
    return truth["IoU at +90 degrees"] < BAD_IOU or truth["L1 CD %"] > BAD_CD


def _one(
    table: Table, folder: Path, name: str, how: str, preset: str, case: str
) -> tuple[str, dict[str, float]] | None:
    clip = f"{name}_front" if how == "one side" else name
    film(folder, (clip,))
    source = spoil(capture.read(folder / clip), table.scratch / f"{case} capture", how)
    output = table.scratch / case
    options = ["--preset", preset, "--masks", str(source / "masks"), *OPTIONS.get(how, [])]
    manifest = backend("mesh", source, output, *options)
    if isinstance(manifest, str):
        say(f"{case:<28} {manifest}")
        return None
    truth, frames = read_truth(folder / f"{clip}.npz"), capture.read(folder / clip).frames
    read = capture.read(source).frames
    kept = [k for k, f in enumerate(frames) if f.image.stem in {g.image.stem for g in read}]
    sequence = mesh_sequence.read(output / mesh_sequence.NAME)
    meshes = [(p, sequence.faces) for p in sequence.positions]
    true = compare(meshes, [truth[k] for k in kept], [frames[k] for k in kept])
    seconds, memory = cost(manifest)
    evidence = {k: v for k, v in manifest["verdict"]["evidence"].items() if k != "worst_part"}
    for metric, value in {**true, **evidence}.items():
        if value is not None:
            table.add(Row(case, metric, float(value), cpu_seconds=seconds, peak_mb=memory))
    say(f"{case:<28} {manifest['verdict']['level']}: {'; '.join(manifest['verdict']['reasons'])}")
    colors = [sequence.colors] * len(meshes)
    sheet(meshes, colors, [frames[k] for k in kept], table.scratch / f"{case}.png", (0.0, 90.0))
    return manifest["verdict"]["level"], true
