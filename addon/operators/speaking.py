"""Speech onto faces: the sound, the motion that is computed of it, and motions made before."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ...backend.formats import words_file
from ...backend.protocol import InputError, Request
from ...backend.talking_head.speech_verb import SpeechOptions
from ...backend.verbs import read_request
from ..blender_types import OperatorResult
from ..jobs import folders
from ..scene import results
from ..scene.faces import moved_words, timing_strips
from .common import OnCompute, guarded, run_in_folder, run_job


def frame_rate(scene: bpy.types.Scene) -> float:
    """Frames a second."""
    return scene.render.fps / scene.render.fps_base


def speech_file(context: bpy.types.Context) -> Path:
    """The sound or video at the top of the panel; InputError where there is none."""
    path = Path(bpy.path.abspath(context.scene.splatsmith.speech))
    if not context.scene.splatsmith.speech or not path.is_file():
        raise InputError(
            "No sound or video is chosen."
            if not context.scene.splatsmith.speech
            else f"There is no file {path}.",
            "Choose one at the top of panel 5.",
        )
    return path


def submit_at_start(
    operator: bpy.types.Operator, context: bpy.types.Context, request: Request
) -> OperatorResult:
    """Runs the request; its motion will begin at the panel's start frame."""
    request.context["start"] = context.scene.splatsmith.speech_start
    return run_job(operator, context, request)


class SPLATSMITH_OT_sound_of_strip(bpy.types.Operator):
    """Take the sound of the active strip of the Video Sequencer, where it begins"""

    bl_idname = "splatsmith.sound_of_strip"
    bl_label = "Sound from Strip"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        editor = context.scene.sequence_editor
        if (
            editor is None
            or editor.active_strip is None
            or editor.active_strip.type not in ("SOUND", "MOVIE")
        ):
            cls.poll_message_set("Make a sound or movie strip active in the Video Sequencer")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        strip, settings = context.scene.sequence_editor.active_strip, context.scene.splatsmith
        settings.speech = strip.sound.filepath if strip.type == "SOUND" else strip.filepath
        settings.speech_start = round(strip.frame_start)
        return {"FINISHED"}


def _style(settings: Any) -> dict[str, Any]:
    """The sliders."""
    return {
        "intensity": settings.speech_intensity,
        "jaw": settings.speech_jaw,
        "closure": settings.speech_closure,
        "smoothing": settings.speech_smoothing,
        "lead": settings.speech_lead,
        "blinks": settings.blinks,
        "sway": settings.sway,
        "expression": settings.speech_expression,
        "gaze": settings.speech_gaze,
    }


class SPLATSMITH_OT_speak(OnCompute, bpy.types.Operator):
    """Move the targets as the sound speaks: lips, jaw, blinks, head, each in a layer of its own"""

    bl_idname = "splatsmith.speak"
    bl_label = "Speak"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings, path = context.scene.splatsmith, speech_file(context)
        text = settings.transcript.strip()
        block = settings.transcript_text
        subtitles = bpy.path.abspath(settings.transcript_file)
        options = SpeechOptions(
            fps=frame_rate(context.scene),
            speaker=bpy.path.abspath(settings.speaker),
            transcript=block.as_string() if block else text or subtitles,
            character=settings.character,
            trust_transcript=settings.trust_transcript,
            channel=settings.speech_channel,
            language=settings.language,
            assume_speech=settings.assume_speech,
            sound_model=bpy.path.abspath(settings.sound_model),
            voice_model=bpy.path.abspath(settings.voice_model),
            audio2face=bpy.path.abspath(settings.audio2face),
            emotion=settings.emotion if settings.audio2face else "neutral",
            emotion_strength=settings.emotion_strength,
            **_style(settings),
        )
        return submit_at_start(
            self,
            context,
            Request(
                verb="speech",
                input=str(path),
                options=options,
                device="cpu",
                seed=settings.seed,
                title=path.stem,
            ),
        )


class SPLATSMITH_OT_bake_again(OnCompute, bpy.types.Operator):
    """Speak the words as their strips in the Nonlinear Animation editor lie now: the same voice, \
with the sliders of Style. Your own keys and layers stay"""

    bl_idname = "splatsmith.bake_again"
    bl_label = "Bake Again"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        spoken = timing_strips.of_scene(context.scene)
        if spoken is None:
            raise InputError(
                "There are no words to bake.", "Give a transcript under Style, and press Speak."
            )
        moved = moved_words.read(*spoken)
        if not moved.words:
            raise InputError("All words were deleted.", "Undo that, or delete their layer instead.")
        request = read_request(spoken[1].request)
        folder = folders.new_folder("speech", request.title)
        path = folder / "moved_words.json"
        words_file.write(path, moved.words)
        options = replace(
            request.options,
            words=str(path),
            transcript="",
            fps=frame_rate(context.scene),
            **_style(context.scene.splatsmith),
        )
        told = {"start": round(spoken[1].start), "notes": moved.notes}
        return run_in_folder(self, context, replace(request, options=options, context=told), folder)


class SPLATSMITH_OT_import_motion(bpy.types.Operator):
    """Put a motion that was computed before onto the targets"""

    bl_idname = "splatsmith.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        path = Path(self.filepath)
        self.report(
            {"INFO"},
            results.import_motion(context, path, path.stem, context.scene.splatsmith.speech_start),
        )
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_sound_of_strip,
    SPLATSMITH_OT_speak,
    SPLATSMITH_OT_bake_again,
    SPLATSMITH_OT_import_motion,
)
