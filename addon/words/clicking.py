"""A click into a view, a selection out: by a SAM where one is chosen, else the object under the
mouse. The click goes off, a timer takes the answer.
"""

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...backend.formats.click_lines import Click, Clicked
from ...backend.geometry.arrays import Flags
from ...backend.protocol import InputError, SplatsmithError
from .. import preferences
from ..compute import state
from ..jobs.flags import in_window
from ..scene.objects import neighbors, objects, painting
from ..scene.splats import marks, pointclouds, splats
from .asking import PATIENCE, TICK, asking
from .click_view import ClickView


@dataclass(kw_only=True)
class Clicking:
    """What was clicked last, what the panel says of it, and where splats were written to."""

    number: int = 0
    cloud: int = 0  # session_uid of the object; 0: nothing is asked
    mode: marks.Mode = "SET"
    since: float = 0.0
    line: str = ""
    wrong: bool = False
    folder: Path | None = None
    written: tuple[object, ...] = ()  # what the file holds


clicking = Clicking()


def click(
    cloud: bpy.types.Object, view: ClickView, points: list[list[float]], labels: list[int],
    level: str, sam: str, mode: marks.Mode,
) -> None:  # fmt: skip
    """Sends the click off. Without a window it waits for the answer. SplatsmithError where it can't
    be asked.
    """
    folder = _folder()
    splats_file = _written(cloud, folder)
    clicking.number += 1
    line = Click(
        id=clicking.number,
        splats=str(splats_file),
        sam=sam,
        viewmat=view.viewmat,
        lens=view.lens,
        size=view.size,
        points=points,
        labels=labels,
        level=level.lower(),
        result=str(folder / "meant"),
        device=preferences.get().device,
    )
    clicking.line = "Looking…" if asking.process.alive else "Loading the network…"
    asking.process.click(state.require(), preferences.ROOT, line)
    clicking.cloud, clicking.since, clicking.wrong = cloud.session_uid, time.monotonic(), False
    clicking.mode = mode
    if bpy.app.background:
        _take(asking.process.wait_clicked(clicking.number, PATIENCE))
        if clicking.wrong:
            raise InputError(clicking.line, "")
    elif not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK)


def under_mouse(cloud: bpy.types.Object, view: ClickView, place: list[float]) -> Flags:
    """(N,) the object of a segmentation that is seen at a place of a view, in its pixels from the
    upper left. InputError where there is none.
    """
    labels, points = objects.numbers_of(cloud), pointclouds.positions(cloud.data)
    shown = splats.base_of(cloud)[:, 3] * ~marks.away(cloud)
    width, height = view.size
    matrix = view.to_clip() @ np.array(cloud.matrix_world, np.float64)
    seen = painting.project(points, shown, matrix, (width, height))
    at, reach = (place[0], height - place[1]), 3 * neighbors.typical_reach(points)
    taken = painting.main_objects(labels[painting.touched(seen, at, painting.CELL, reach, False)])
    if not len(taken):
        raise InputError("There is no object at that place.", "Click on one.")
    return np.asarray(np.isin(labels, taken))


def _folder() -> Path:
    if clicking.folder is None or not clicking.folder.is_dir():
        clicking.folder, clicking.written = Path(tempfile.mkdtemp(prefix="splatsmith_click_")), ()
    return clicking.folder


def _written(cloud: bpy.types.Object, folder: Path) -> Path:
    """The splats where they stand in the scene, hidden ones faded away; written anew when they have
    changed.
    """
    path, away = folder / "splats.ply", marks.away(cloud)
    attribute = cloud.data.attributes.get(objects.LABEL)
    numbers = objects.numbers_of(cloud) if attribute is not None else np.zeros(0, np.int32)
    stands = (
        cloud.data.session_uid,
        pointclouds.point_count(cloud.data),
        tuple(v for row in cloud.matrix_world for v in row),
        hash(away.tobytes()),
        hash(numbers.tobytes()),
        hash(pointclouds.positions(cloud.data).tobytes()),
    )
    if clicking.written != stands or not path.is_file():
        arrays = splats.read_moved(cloud, in_scene=True)
        arrays.opacity_logits[away] = -20.0
        splats.export_ply(arrays, path)
        clicking.written = stands
    return path


def _tick() -> float | None:
    """Until the last click has its answer."""
    if not clicking.cloud:
        return None
    alive, answer = asking.process.alive, asking.process.poll_clicked()
    late = time.monotonic() - clicking.since > PATIENCE
    if (answer is None and alive and not late) or (answer and answer.id != clicking.number):
        return TICK
    _take(answer)
    return None


def _take(answer: Clicked | None) -> None:
    uid, clicking.cloud = clicking.cloud, 0
    cloud = next((o for o in bpy.data.objects if o.session_uid == uid), None)
    if answer is None:
        asking.process.stop()
        _say("No answer came: the process that looks ended, or is stuck. Click again.", wrong=True)
    elif answer.error:
        _say(in_window(f"{answer.error} {answer.advice}".strip()), wrong=True)
    elif cloud is None:
        _say("The splats that were clicked are gone.", wrong=True)
    else:
        try:
            _select(cloud)
        except SplatsmithError as error:
            _say(f"{error.what} {error.advice}", wrong=True)


def _select(cloud: bpy.types.Object) -> None:
    meant = np.fromfile(_folder() / "meant", np.uint8).astype(bool)
    if len(meant) != pointclouds.point_count(cloud.data):
        raise InputError("The splats have changed since the click.", "Click again.")
    count = select(cloud, meant, clicking.mode)
    _say(f"{count:,} splats are selected")
    windows = bpy.context.window_manager.windows
    if windows and not bpy.app.background:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message="Click to Select")


def select(cloud: bpy.types.Object, meant: Flags, mode: marks.Mode) -> int:
    """Combines what is meant with the selection; how many splats are selected then."""
    locked = objects.locked(cloud) if cloud.splatsmith_objects else None
    return marks.select(cloud, meant, mode, locked=locked)


def _say(line: str, wrong: bool = False) -> None:
    clicking.line, clicking.wrong = line, wrong
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def stop() -> None:
    """No timer or file of ours stays behind."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if clicking.folder is not None:
        shutil.rmtree(clicking.folder, ignore_errors=True)
    clicking.folder, clicking.cloud, clicking.line = None, 0, ""
