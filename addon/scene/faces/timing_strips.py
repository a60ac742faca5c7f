"""Words and sounds of a speech as strips of the NLA, on tracks above its curves: to be moved, and
baked again.

A strip is a block with a name, a beginning and an end, which Blender draws beside the curves,
snaps, undoes and keeps; markers are points, and of the whole scene. The strips' actions are empty,
so that they move nothing, and hold what the speech was made with.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import bpy

from ....backend.formats.words_file import SpokenWord, words_from
from ....backend.protocol import InputError

# on the strips' actions: what was spoken, which of the two they are, and of which speech
RECORD, KIND, FOLDER = "splatsmith_record", "splatsmith_timing", "splatsmith_folder"
WORDS, SOUNDS = "words", "sounds"
TRACKS = {
    SOUNDS: ("Splatsmith sounds", "Splatsmith sounds 2"),
    WORDS: ("Splatsmith words", "Splatsmith words 2"),
}
LONGEST = 40  # letters of a name
NUMBER = re.compile(r"\.\d{3,}$")  # that Blender adds to a name which is taken


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What was spoken, as it was laid."""

    request: str  # the job's, as JSON
    folder: str  # of its result, which tells speeches apart
    start: float  # frame at which the sound begins
    fps: float
    seconds: float  # of the sound
    words: tuple[SpokenWord, ...]
    names: tuple[tuple[str, tuple[str, ...]], ...]  # of strips: each word's, and its sounds'


def lay(scene: bpy.types.Scene, name: str, timing: Timing) -> int:
    """Strips for the words and sounds of a speech, on the first target; those of an earlier one in
    its frames go. How many words.
    """
    for obj in holders(scene):
        if obj.animation_data is not None:
            _clear(obj.animation_data, timing)
    first = next(holders(scene), None)
    if first is None:
        return 0
    data = first.animation_data_create()
    sounds = [(s.ipa, s.start, s.end) for word in timing.words for s in word.sounds]
    words = [(word.text, word.start, word.end) for word in timing.words]
    laid = {
        kind: _row(data, kind, f"{name} {kind}", _in_frames(rows, timing))
        for kind, rows in ((SOUNDS, sounds), (WORDS, words))
    }
    rest = iter(laid[SOUNDS][1])
    names = [
        (strip.name, tuple(next(rest).name for _ in word.sounds))
        for word, strip in zip(timing.words, laid[WORDS][1], strict=True)
    ]
    told = {**asdict(timing), "names": names}
    for kind, (action, _) in laid.items():
        action[KIND], action[RECORD] = kind, json.dumps(told)
        action[FOLDER] = timing.folder
    return len(words)


def _clear(data: Any, timing: Timing) -> None:
    """Takes away what was laid before in these frames."""
    frames = (timing.start, timing.start + timing.seconds * timing.fps)
    laid = [_timing(action) for action in {strip.action for _, strip in _strips(data)}]
    for folder in {
        old.folder
        for old in laid
        if old.start < frames[1] and old.start + old.seconds * old.fps > frames[0]
    }:
        _remove(data, folder)


def _in_frames(rows: list[tuple[str, float, float]], timing: Timing) -> list[Any]:
    return [(n, timing.start + a * timing.fps, timing.start + b * timing.fps) for n, a, b in rows]


def _row(data: Any, kind: str, title: str, rows: list[Any]) -> tuple[Any, list[Any]]:
    """The action and the strips, in the rows' order. By turns they lie on two tracks, as strips of
    one track can't be dragged across each other: so each may move by the length of its neighbours.
    """
    action = bpy.data.actions.new(title)
    tracks = [_track(data, name) for name in TRACKS[kind]]
    order = sorted(range(len(rows)), key=lambda k: rows[k][1])
    strips: list[Any] = [None] * len(rows)
    for place, k in enumerate(order):
        name, begin, end = rows[k]
        following = rows[order[place + 2]][1] if place + 2 < len(order) else end
        told = name[:LONGEST] or "?", begin, max(min(end, following), begin)
        try:
            strips[k] = _strip(tracks[place % 2], action, *told)
        except RuntimeError:  # a strip of another speech was moved here
            tracks[place % 2] = data.nla_tracks.new()
            tracks[place % 2].name = TRACKS[kind][place % 2]
            strips[k] = _strip(tracks[place % 2], action, *told)
    return action, strips


def _track(data: Any, name: str) -> Any:
    """The one of that name; a new one where there is none."""
    track = data.nla_tracks.get(name) or data.nla_tracks.new()
    track.name = name
    return track


def _strip(track: Any, action: Any, name: str, begin: float, end: float) -> Any:
    strip = track.strips.new(name, math.ceil(begin), action)
    strip.name, strip.extrapolation, strip.blend_type = name, "NOTHING", "COMBINE"
    strip.frame_start, strip.frame_end = begin, max(end, begin + 0.05)
    return strip


def holders(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """Objects that may hold such strips, the panel's targets as they are listed. Not their shape
    keys, whose tracks the editor keeps folded.
    """
    settings = scene.splatsmith
    objs = (*(t.obj for t in settings.face_targets), settings.jaw_rig, settings.head_object)
    yield from dict.fromkeys(obj for obj in objs if obj is not None)


def any_laid(scene: bpy.types.Scene) -> bool:
    """Whether there are words to move: asked at every redraw, so by the track's name alone."""
    return any(
        obj.animation_data is not None and TRACKS[WORDS][0] in obj.animation_data.nla_tracks
        for obj in holders(scene)
    )


def of_scene(scene: bpy.types.Scene) -> tuple[bpy.types.Object, Timing] | None:
    """The speech around the current frame; else the one that begins last before it, or first."""
    told = [
        (obj, _timing(action))
        for obj in holders(scene)
        if obj.animation_data is not None
        for action in {strip.action for _, strip in _strips(obj.animation_data)}
        if action.get(KIND) == WORDS
    ]
    now = scene.frame_current
    before = [pair for pair in told if pair[1].start <= now]
    if before:
        return max(before, key=lambda pair: pair[1].start)
    return min(told, key=lambda pair: pair[1].start, default=None)


def _strips(data: Any) -> Iterator[tuple[Any, Any]]:
    """Our strips with their tracks: those that made way for others have gone to new ones."""
    for track in data.nla_tracks:
        for strip in track.strips:
            if strip.action is not None and strip.action.get(RECORD):
                yield track, strip


def _timing(action: bpy.types.Action) -> Timing:
    """InputError where it is damaged."""
    try:
        told = json.loads(action[RECORD])
        words = words_from(told["words"])
        names = tuple((str(word), tuple(map(str, sounds))) for word, sounds in told["names"])
        if [len(word.sounds) for word in words] != [len(sounds) for _, sounds in names]:
            raise ValueError("names of other words")
        return Timing(
            request=str(told["request"]),
            folder=str(told["folder"]),
            start=float(told["start"]),
            fps=float(told["fps"]),
            seconds=float(told["seconds"]),
            words=words,
            names=names,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"The words in {action.name} are damaged.", "Delete their strips, and speak again."
        ) from error


def _remove(data: Any, folder: str) -> None:
    """Takes a speech's strips away, and tracks that hold nothing then."""
    ours = [(t, s) for t, s in _strips(data) if s.action.get(FOLDER) == folder]
    actions = {strip.action for _, strip in ours}
    for track, strip in ours:
        track.strips.remove(strip)
    for track in {track.as_pointer(): track for track, _ in ours}.values():
        if not track.strips:
            data.nla_tracks.remove(track)
    for action in actions:
        if not action.users:
            bpy.data.actions.remove(action)


def spans(obj: bpy.types.Object, timing: Timing, kind: str) -> dict[str, tuple[float, float]]:
    """Where the strips of a speech are now, in seconds of its sound, by their names."""
    places = {}
    for _, strip in _strips(obj.animation_data):
        if (strip.action.get(KIND), strip.action.get(FOLDER)) == (kind, timing.folder):
            places[strip.name] = (
                (strip.frame_start - timing.start) / timing.fps,
                (strip.frame_end - timing.start) / timing.fps,
            )
    return places


def plain(name: str) -> str:
    """Without the number that Blender adds."""
    return NUMBER.sub("", name)


def paired(
    names: Iterable[str], starts: Iterable[float], places: dict[str, tuple[float, float]]
) -> tuple[dict[int, str], list[str]]:
    """Which strip each of the laid ones is now: by its name, else, as names can be changed, the
    one nearest to where it was; and strips that are none of them.
    """
    laid = dict(enumerate(zip(names, starts, strict=True)))
    pairs = {k: name for k, (name, _) in laid.items() if name in places}
    strange = [name for name in places if name not in pairs.values()]
    lost = [k for k in laid if k not in pairs]
    for name in sorted(strange, key=lambda name: places[name]):
        if lost:
            nearest = min(lost, key=lambda k: abs(laid[k][1] - places[name][0]))
            pairs[nearest] = name
            lost.remove(nearest)
    return pairs, [name for name in strange if name not in pairs.values()]
