"""`select` at its own default threshold, on rooms that the product has trained: words for what is
there, and for what is not. The model is simulated (helpers/simulated_teacher.py); the verbs are run
as a user runs them, and what they select is read from their files.
"""

from itertools import chain
from pathlib import Path
from unittest.mock import patch

import numpy as np
from helpers import command_line
from helpers.furnished_room import CLASSES, Room
from helpers.simulated_teacher import ABSENT, ABSENT_ALIKE, SimulatedTeacher
from helpers.teacher_simulator import Simulator

from backend.formats import capture, splat_ply
from backend.semantics import segment_job, select_job
from backend.semantics.segment_verb import PRESETS
from backend.semantics.views import choose_views
from tests.benchmarks import semantic_rooms
from tests.benchmarks.semantic_rooms import RoomFiles
from tests.benchmarks.semantic_trained import TRAINED, means, ways
from tests.benchmarks.table import Row, Table

NOTHING_FITS = "nothing"  # what the verb says where no splat is selected


def run(table: Table) -> None:
    for seed in TRAINED:
        found = semantic_rooms.files(seed)
        room = semantic_rooms.load(found, trained=True)
        for way in ways(found, seed):
            teacher = teacher_of(room, found, seed)
            output = table.scratch / f"words {seed} {way.name}"
            with (
                patch.object(segment_job, "load", lambda *_, known=teacher: known),
                patch.object(select_job, "load", lambda *_, known=teacher: known),
            ):
                _segment(found, output, way.options)
                _ask(table, room, output, (seed, way.name))
    means(table, ("words",))


def teacher_of(room: Room, found: RoomFiles, seed: int) -> SimulatedTeacher:
    """It has seen every picture of the capture, at the size that `segment` shows it."""
    teacher = SimulatedTeacher(Simulator(room, seed=7 + seed))
    frames = capture.read(found.capture)
    for view in choose_views(frames, len(frames.frames), PRESETS["balanced"].side, "cpu"):
        number = int(Path(view.frame.source or view.frame.image.name).stem)
        teacher.shows(view.read_image(), room.owners[number], view.view)
    return teacher


def _segment(found: RoomFiles, output: Path, options: tuple[str, ...]) -> None:
    done = command_line.run(
        "segment", "--input", found.trained, "--capture", found.capture, "--output", output,
        "--preset", "balanced", "--model", "simulated", *options,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"segment failed: {done.stderr}")


def _ask(table: Table, room: Room, output: Path, which: tuple[int, str]) -> None:
    seed, way = which
    visible = room.objects >= 0
    of_class = np.where(visible, room.classes[room.objects], -1)
    names = [CLASSES[c] for c in np.unique(of_class[visible])]
    ious = []
    for name in names:
        chosen, mine = selected(output, name) & visible, of_class == CLASSES.index(name)
        ious.append(float((chosen & mine).sum() / (chosen | mine).sum()))
    said_no = {}
    for kind, words in (("alike", [*ABSENT_ALIKE]), ("unlike", [*ABSENT])):
        said_no[kind] = [not selected(output, word).any() for word in words]
    case = f"room {seed}, words, {way}"
    rows = [
        ("present words, mean IoU", 100 * float(np.mean(ious))),
        ("present words that select nothing", 100 * float(np.mean(np.array(ious) == 0))),
        ("absent words that select nothing", 100 * float(np.mean([*chain(*said_no.values())]))),
        *((f"... {kind} what is there", 100 * float(np.mean(no))) for kind, no in said_no.items()),
    ]
    for metric, value in rows:
        table.add(Row(case, metric, value, "%", seed))


def selected(output: Path, prompt: str) -> np.ndarray:
    """(N,) bool of the segmented splats: what the verb writes for a prompt at its own threshold;
    none where it says that nothing fits.
    """
    everything = splat_ply.read(output / "splats.ply").means
    answer = output.with_name(f"{output.name} selected")
    done = command_line.run("select", "--input", output, "--output", answer, "--prompt", prompt)
    if done.returncode:
        if NOTHING_FITS not in done.stderr.lower():
            raise RuntimeError(f"select failed: {done.stderr}")
        return np.zeros(len(everything), bool)
    kept = splat_ply.read(answer / "splats.ply").means
    return np.isin(_as_one(everything), _as_one(kept))


def _as_one(means: np.ndarray) -> np.ndarray:
    """(N,) a value a row (N, 3) float32: to be compared bit by bit."""
    return np.ascontiguousarray(means).view("V12").ravel()
