"""Who brings the result of which verb into the scene. A new verb gets its line at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ...backend.formats import mesh_frames, mesh_sequence, motion_file, words_file
from ...backend.formats.json_file import read_record
from ...backend.protocol import Request
from ...backend.verbs import VERBS
from ..compute import state
from . import mesh_results, results
from .faces import character, timing_strips

# context, request, the folder with its result; the name that it gets -> a line about it
Importer = Callable[[bpy.types.Context, Request[Any], Path, str], str]


def import_result(context: bpy.types.Context, request: Request[Any], folder: Path) -> str:
    """Brings a finished job's result into the scene; a line about it.

    Raises InputError where the result can't be used, OSError, ValueError or KeyError where it is
    damaged.
    """
    return IMPORTERS[request.verb](
        context, request, folder, request.title or VERBS[request.verb].title
    )


def _cameras(context: bpy.types.Context, _request: Request[Any], folder: Path, name: str) -> str:
    return results.import_capture(context, folder, name)


def _splats(context: bpy.types.Context, request: Request[Any], folder: Path, name: str) -> str:
    return results.import_splats(context, folder / "splats.ply", name, request.input)


def _render(context: bpy.types.Context, request: Request[Any], folder: Path, _name: str) -> str:
    return results.import_render(context, folder, request.options)


def _segment(context: bpy.types.Context, _request: Request[Any], folder: Path, name: str) -> str:
    return results.import_objects(context, folder, name)


def _speech(context: bpy.types.Context, request: Request[Any], folder: Path, name: str) -> str:
    path = folder / motion_file.NAME
    context.scene.splatsmith.spoken = str(path)
    start = int(request.context.get("start", 1))
    line = results.import_motion(context, path, name, start)
    words = _words(context, request, folder, name, start)
    return ". ".join(filter(None, [line, words, *request.context.get("notes", [])]))


def _words(
    context: bpy.types.Context, request: Request[Any], folder: Path, name: str, start: int
) -> str:
    """Words that were spoken, as strips; a line about it, empty where none are known."""
    path = folder / words_file.NAME
    if not path.is_file():
        return ""
    motion = motion_file.read(folder / motion_file.NAME)
    timing = timing_strips.Timing(
        request=request.to_json(),
        folder=str(folder),
        start=start,
        fps=context.scene.render.fps / context.scene.render.fps_base,
        seconds=motion.length / motion.fps,
        words=words_file.read(path),
        names=(),
    )
    count = timing_strips.lay(context.scene, name, timing)
    return f"{count} words are strips in the Nonlinear Animation editor" if count else ""


def _face(context: bpy.types.Context, request: Request[Any], folder: Path, name: str) -> str:
    return results.import_face(context, folder, name, int(request.context.get("start", 1)))


def _shapes(context: bpy.types.Context, request: Request[Any], folder: Path, _name: str) -> str:
    return character.bring_in(context, request.context, folder)


def _talk(_context: bpy.types.Context, _request: Request[Any], folder: Path, _name: str) -> str:
    return f"talk.mp4 in {folder}"


def _mesh(context: bpy.types.Context, request: Request[Any], folder: Path, name: str) -> str:
    free = folder / mesh_frames.NAME
    if free.is_file():
        return mesh_results.import_frames(context, free, name, request.input, request.options.fps)
    return mesh_results.import_mesh(
        context, folder / mesh_sequence.NAME, name, request.input, request.options.fps
    )


def _surface(context: bpy.types.Context, request: Request[Any], folder: Path, name: str) -> str:
    return mesh_results.import_surface(context, folder, name, _source(request))


def _register(context: bpy.types.Context, request: Request[Any], folder: Path, name: str) -> str:
    text = mesh_results.import_mesh(context, folder / mesh_sequence.NAME, name)
    mesh_results.stand_like(context.object, bpy.data.objects.get(_source(request)))
    mesh_results.hide_empty(
        context, request.context.get("times", []), request.context.get("empty", [])
    )
    return "; ".join([text, *request.context.get("notes", [])])


def _bones(_context: bpy.types.Context, request: Request[Any], folder: Path, _name: str) -> str:
    start = int(request.context.get("start", 1))
    return mesh_results.attach_bones(folder / mesh_sequence.NAME, _source(request), start)


def _model(context: bpy.types.Context, _request: Request[Any], folder: Path, _name: str) -> str:
    record = read_record(folder / "model.json")
    purpose, model = str(record.get("purpose", "words")), str(record["model"])
    name, advice = MODEL_USES[purpose]
    setattr(context.scene.splatsmith, name, model)
    return advice


# what a model is for: the setting that takes its folder, and what to do next
MODEL_USES = {
    "words": ("clip_model", "press Find Objects, then select by words"),
    "masks": ("sam", "press Find Objects, or Click in the viewport"),
    "segments": ("segmenter", "press Find Objects"),
    "depth": ("depth_model", "press Solve Cameras"),
    "voice": ("voice_model", "press Speak"),
    "speech": ("sound_model", "press Speak"),
    "face": ("audio2face", "choose an emotion under Style, and press Speak"),
}


def _setup(_context: bpy.types.Context, _request: Request[Any], folder: Path, _name: str) -> str:
    return state.remember_result(folder)  # nothing for the scene, but computing is ready now


def _source(request: Request[Any]) -> str:
    """Name of the object that the job was started for."""
    return str(request.context.get("object", ""))


IMPORTERS: dict[str, Importer] = {
    "cameras": _cameras,
    "splats": _splats,
    "render": _render,
    "segment": _segment,
    "speech": _speech,
    "head": _face,
    "shapes": _shapes,
    "face": _face,
    "talk": _talk,
    "mesh": _mesh,
    "register": _register,
    "surface": _surface,
    "bones": _bones,
    "model": _model,
    "setup": _setup,
}
