"""Work on millions of splats, done in slices of a few hundredths of a second between two redraws.

What is asked for anew begins anew, so that the last state wins. Nothing half done is ever seen:
work writes once, at its end, and whoever saves, renders or reads what is filtered has it ended
first.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Generator
from typing import Any

import bpy

from ....backend.protocol import SplatsmithError
from ...blender_types import persistent

log = logging.getLogger(__name__)
# between two steps Blender may draw, and before a long one, which True tells of, it does
Steps = Generator[bool, None, None]
SLICE = 0.05  # seconds
PAUSE = 0.005
PATIENCE = 60.0  # seconds that a render waits for the main thread
SHOWN = 0.5  # seconds of work after which the status bar tells of it
LINE = "Bringing splats up to date"

_waiting: dict[tuple[str, int], Steps] = {}  # by what is done, and the object's session_uid
_busy = False
_since = 0.0
_told = False


def at_once() -> bool:
    """Without a window nobody waits for a redraw, and no timer runs."""
    return bool(bpy.app.background)


def do(kind: str, uid: int, steps: Steps) -> None:
    """Does that work of that object, from its beginning where it had begun: within one slice if it
    is short, else the timer goes on.
    """
    global _since
    key = (kind, uid)
    begun = _waiting.pop(key, None) is not None
    if not _waiting and not begun:
        _since = time.monotonic()
    _waiting[key] = steps
    if at_once():
        finish()
    elif not begun:  # a crop that is dragged does not wait for a slice at each move
        _work(time.perf_counter() + SLICE)
    if _waiting and not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=PAUSE, persistent=True)


def pending(uid: int | None = None) -> bool:
    """Whether anything waits to be done, of that object if one is named."""
    return any(uid in (None, of) for _, of in _waiting)


def finish(uid: int | None = None) -> None:
    """Does now whatever waits to be done; only if that object is concerned, where one is named."""
    if pending(uid):
        _work(float("inf"))


def forget() -> None:
    """Nothing waits any more: another file comes, or another state of this one."""
    _waiting.clear()
    _tell(False)


def tick() -> float | None:
    """One slice; the timer calls it until all is done."""
    try:
        _work(time.perf_counter() + SLICE)
    except SplatsmithError as error:
        log.warning("%s %s", error.what, error.advice)
    _tell(bool(_waiting) and time.monotonic() - _since > SHOWN)
    return PAUSE if _waiting else None


def _work(end: float) -> None:
    """Steps until that time, one at least, or until a long one comes. Work that fails is
    dropped.
    """
    global _busy
    if _busy:  # a step made Blender evaluate, and a handler of ours asks for more
        return
    _busy = True
    try:
        while _waiting:
            key, steps = next(iter(_waiting.items()))
            long: bool | None = None
            try:
                long = next(steps, None)
            finally:
                if long is None and _waiting.get(key) is steps:
                    del _waiting[key]
            if time.perf_counter() >= end or (long and end < float("inf")):
                return
    finally:
        _busy = False


def _tell(working: bool) -> None:
    """In the status bar, where work takes so long that one wonders."""
    global _told
    if working == _told:
        return
    _told = working
    for window in bpy.context.window_manager.windows:
        window.workspace.status_text_set(LINE if working else None)


@persistent
def on_save(*_arguments: object) -> None:
    """What is saved is whole."""
    finish()


@persistent
def on_render(*_arguments: object) -> None:
    """What is rendered is whole. Blender renders in a thread of its own, where data must not be
    changed: there it waits for the timer.
    """
    if threading.current_thread() is threading.main_thread():
        finish()
        return
    end = time.monotonic() + PATIENCE
    while _waiting and time.monotonic() < end:
        time.sleep(PAUSE)


@persistent
def on_other_state(*_arguments: object) -> None:
    """Another file, undo, redo: what was asked for belongs to the state before."""
    forget()


def _lists() -> list[tuple[Any, Any]]:
    """Blender's lists of handlers, and what of ours is in each."""
    handlers = bpy.app.handlers
    return [
        (handlers.save_pre, on_save),
        (handlers.render_init, on_render),
        (handlers.load_pre, on_other_state),
        (handlers.undo_pre, on_other_state),
        (handlers.redo_pre, on_other_state),
    ]


def start() -> None:
    """Begins to watch; `stop` ends it."""
    for listed, ours in _lists():
        listed.append(ours)


def stop() -> None:
    """Nothing is left half done; no handler or timer of ours stays behind."""
    with contextlib.suppress(SplatsmithError):
        finish()
    forget()
    for listed, ours in _lists():
        if ours in listed:
            listed.remove(ours)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
