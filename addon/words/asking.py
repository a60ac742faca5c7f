"""Words in, a selection out: the question goes off, a timer takes the answer, the threshold is
followed live.
"""

import atexit
import time
from dataclasses import dataclass, field

import bpy
import numpy as np

from ...backend.formats.words_lines import Question, Scores
from ...backend.geometry.arrays import Flags
from ...backend.protocol import InputError, SplatsmithError
from .. import preferences
from ..blender_types import persistent
from ..compute import state
from ..jobs.flags import in_window
from ..scene.objects import objects
from ..scene.splats import marks
from .process import WordsProcess

PATIENCE = 120.0  # seconds: the first question loads the model
TICK = 0.02


@dataclass(kw_only=True)
class Asking:
    """What is asked now, what the panel says of it, and the selection that answers are combined
    with.
    """

    process: WordsProcess = field(default_factory=WordsProcess)
    number: int = 0
    cloud: int = 0  # the session_uid of the object that was asked about; 0: nothing is asked
    since: float = 0.0
    line: str = ""  # for the panel
    wrong: bool = False
    before: dict[int, Flags] = field(default_factory=dict)  # by the data's session_uid
    after: dict[int, Flags] = field(default_factory=dict)  # what was made of it


asking = Asking()


def ask(context: bpy.types.Context, cloud: bpy.types.Object) -> None:
    """Sends the prompt of the panel off. Without a window it waits for the answer. SplatsmithError
    where it can't be asked.
    """
    prompt = context.scene.splatsmith.prompt
    if not prompt.strip():
        raise InputError(
            "The prompt is empty.", 'Write what to select, for example "chair, stool; lamp".'
        )
    if not cloud.get(objects.MODEL, ""):
        raise InputError(
            f"{cloud.name} has objects that were found without a CLIP model.",
            "Choose one under Advanced, then press Find Objects again.",
        )
    asking.number += 1
    asking.line = "Looking…" if asking.process.alive else "Loading the model…"
    asking.process.ask(
        state.require(),
        preferences.ROOT,
        Question(id=asking.number, folder=cloud[objects.FOLDER], prompt=prompt),
    )
    asking.cloud, asking.since, asking.wrong = cloud.session_uid, time.monotonic(), False
    if bpy.app.background:
        _take(asking.process.wait(asking.number, PATIENCE))
        if asking.wrong:
            raise InputError(asking.line, "")
    elif not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK)


def _tick() -> float | None:
    """Until the last question has its answer."""
    if not asking.cloud:
        return None
    alive, scores = asking.process.alive, asking.process.poll()
    late = time.monotonic() - asking.since > PATIENCE
    if scores is None and alive and not late:
        return TICK
    if scores is not None and scores.id != asking.number:
        return TICK  # of a question that was asked before
    _take(scores)
    return None


def _take(scores: Scores | None) -> None:
    cloud, asking.cloud = (
        next((o for o in bpy.data.objects if o.session_uid == asking.cloud), None),
        0,
    )
    if scores is None:
        asking.process.stop()
        _say(
            "No answer came: the process that knows words ended, or is stuck. Ask again.",
            wrong=True,
        )
    elif scores.error:
        _say(in_window(f"{scores.error} {scores.advice}".strip()), wrong=True)
    elif cloud is None or not cloud.splatsmith_objects:
        _say("The splats that were asked about are gone.", wrong=True)
    elif not scores.objects:
        _say("The answer holds no objects. Ask with other words.", wrong=True)
    else:
        try:
            objects.take_fits(cloud, np.array(scores.objects, np.float32).max(0))
            asking.after.clear()  # the selection as it is now is the one to combine with
            follow(bpy.context, cloud)
        except SplatsmithError as error:
            _say(f"{error.what} {error.advice}", wrong=True)
            return
        if not bpy.app.background:
            _undo_step()


def _undo_step() -> None:
    windows = bpy.context.window_manager.windows
    if windows:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message="Select by Words")


def follow(context: bpy.types.Context, cloud: bpy.types.Object) -> None:
    """The selection at the threshold that is set now, combined with what was selected when the
    words were asked.
    """
    settings, fit = context.scene.splatsmith, marks.fit(cloud)
    if fit is None:
        return
    uid, stored = cloud.data.session_uid, marks.read(cloud, marks.SELECTED)
    known = asking.after.get(uid)
    # it was painted, undone, or never asked
    if known is None or not np.array_equal(known, stored):
        asking.before[uid] = stored
    count = marks.select(
        cloud,
        fit >= settings.threshold,
        settings.select_mode,
        asking.before[uid],
        objects.locked(cloud),
    )
    asking.after[uid] = marks.read(cloud, marks.SELECTED)
    fitting = sum(item.fit >= settings.threshold for item in cloud.splatsmith_objects)
    if fitting:
        match = "1 object matches" if fitting == 1 else f"{fitting} objects match"
        _say(f"{match}, {count:,} splats are selected")
    else:
        _say(f"Nothing matches. Nearest: {_nearest(cloud)}")


def _nearest(cloud: bpy.types.Object, count: int = 3) -> str:
    """The objects that match best, by name."""
    items = sorted(cloud.splatsmith_objects, key=lambda item: -item.fit)[:count]
    return ", ".join(f"{item.name} {item.fit:.2f}" for item in items)


def _say(line: str, wrong: bool = False) -> None:
    asking.line, asking.wrong = line, wrong
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


@persistent
def _forget(_path: object) -> None:
    """Another file was opened: what was asked belongs to the one before."""
    asking.before.clear()
    asking.after.clear()
    asking.cloud, asking.line, asking.wrong = 0, "", False


def start() -> None:
    """The handlers of asking; `stop` undoes it."""
    bpy.app.handlers.load_post.append(_forget)
    atexit.register(asking.process.stop)


def stop() -> None:
    """No process, timer or handler of ours stays behind."""
    asking.process.stop()
    atexit.unregister(asking.process.stop)
    _forget("")
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if _forget in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_forget)
