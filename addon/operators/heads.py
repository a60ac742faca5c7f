"""Heads to animate: added, captured from a filmed face, imported, rendered over their footage."""

from pathlib import Path
from typing import Any

import bpy

from ...backend.protocol import InputError, Request
from ...backend.talking_head.face_verb import FaceOptions
from ...backend.talking_head.head_verb import HeadOptions
from ...backend.talking_head.talk_verb import TalkOptions
from .. import preferences
from ..blender_types import ImportHelper, OperatorResult
from ..scene import results
from .common import FolderChooser, OnCompute, guarded, run_job
from .speaking import frame_rate, speech_file, submit_at_start


def _folder(text: str) -> str:
    """A folder of the panel, as the backend takes it."""
    return bpy.path.abspath(text).rstrip("/\\")


class SPLATSMITH_OT_add_head(OnCompute, bpy.types.Operator):
    bl_description = (
        "Add a head with ARKit's shape keys, ready to speak: the default one, or the Face Model "
        "that is set below"
    )
    bl_idname = "splatsmith.add_head"
    bl_label = "Add Head"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        rig = _folder(settings.face_rig) or "small"
        request = Request(
            verb="head",
            input=rig,
            options=HeadOptions(variety=settings.head_variety),
            device="cpu",
            seed=settings.seed,
            title="Talking",
        )
        return run_job(self, context, request)


def _more_videos(context: bpy.types.Context) -> list[str]:
    """Beside the one at the top of the panel; InputError where one is gone."""
    paths = [bpy.path.abspath(v.path) for v in context.scene.splatsmith.face_videos if v.path]
    for path in paths:
        if not Path(path).is_file():
            raise InputError(f"There is no file {path}.", "Take it out of More Videos.")
    return paths


class SPLATSMITH_OT_add_face_videos(ImportHelper, bpy.types.Operator):
    """Add videos of the same person, from any recording: head and speaker are learned from all"""

    bl_idname = "splatsmith.add_face_videos"
    bl_label = "Add Videos"
    bl_options = {"REGISTER", "UNDO"}

    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"}
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        chosen = [str(Path(self.directory) / f.name) for f in self.files if f.name]
        known = {bpy.path.abspath(p) for p in (settings.speech, *_paths(settings))}
        fresh = [path for path in chosen or [self.filepath] if path not in known]
        for path in fresh:
            settings.face_videos.add().path = path
        settings.face_video = len(settings.face_videos) - 1
        there = len(chosen or [self.filepath]) - len(fresh)
        self.report(
            {"INFO"}, f"{len(fresh)} videos added" + (f", {there} were there" if there else "")
        )
        return {"FINISHED"}


def _paths(settings: Any) -> list[str]:
    return [video.path for video in settings.face_videos]


class SPLATSMITH_OT_remove_face_video(bpy.types.Operator):
    """Take the video out of the list; its file stays"""

    bl_idname = "splatsmith.remove_face_video"
    bl_label = "Remove Video"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.splatsmith
        return bool(0 <= settings.face_video < len(settings.face_videos))

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        settings.face_videos.remove(settings.face_video)
        settings.face_video = min(settings.face_video, len(settings.face_videos) - 1)
        return {"FINISHED"}


class SPLATSMITH_OT_read_face(OnCompute, bpy.types.Operator):
    """Capture the face of the person in the video onto the targets, and learn how they speak"""

    bl_idname = "splatsmith.read_face"
    bl_label = "Capture Face"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if not context.scene.splatsmith.consent:
            cls.poll_message_set("Confirm first that the person has agreed")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings, path = context.scene.splatsmith, speech_file(context)
        options = FaceOptions(
            tracker=_folder(settings.face_tracker),
            rig=_folder(settings.face_rig),
            fps=frame_rate(context.scene),
            smoothing=settings.speech_smoothing,
            channel=settings.speech_channel,
            assume_speech=settings.assume_speech,
            voice_model=bpy.path.abspath(settings.voice_model),
            gaussians=-1 if settings.paint_head else 0,
            agree=bpy.app.online_access and settings.fetch_tracker,
            more="\n".join(_more_videos(context)),
            trust_clips=settings.trust_videos,
        )
        request = Request(
            verb="face",
            input=str(path),
            options=options,
            preset=settings.preset,
            device=preferences.get().device,
            seed=settings.seed,
            title=path.stem,
        )
        return submit_at_start(self, context, request)


class SPLATSMITH_OT_talk_video(OnCompute, bpy.types.Operator):
    bl_description = (
        "Render the active person's Gaussian head over its own footage as a video, saying what "
        "was spoken last"
    )
    bl_idname = "splatsmith.talk_video"
    bl_label = "Render over Footage"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if results.person(context) is None:
            cls.poll_message_set("Press Capture Face first, or import a head that was captured")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        person = results.person(context)
        if person is None:
            raise InputError("There is no captured person.", "Press Capture Face first.")
        spoken = bpy.path.abspath(context.scene.splatsmith.spoken)
        options = TalkOptions(motion=spoken if Path(spoken).is_file() else "")
        request = Request(
            verb="talk",
            input=person[results.PERSON],
            options=options,
            device=preferences.get().device,
            title=person.name,
        )
        return run_job(self, context, request)


class SPLATSMITH_OT_import_head(FolderChooser, bpy.types.Operator):
    bl_description = (
        "Import a head that was captured before: the folder with head.npz, its Gaussians and its "
        "motion"
    )
    bl_idname = "splatsmith.import_head"
    bl_label = "Import Head"
    bl_options = {"REGISTER", "UNDO"}

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = Path(bpy.path.abspath(self.directory))
        self.report(
            {"INFO"},
            results.import_face(
                context, folder, folder.name or "Talking", context.scene.splatsmith.speech_start
            ),
        )
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_add_head,
    SPLATSMITH_OT_add_face_videos,
    SPLATSMITH_OT_remove_face_video,
    SPLATSMITH_OT_read_face,
    SPLATSMITH_OT_talk_video,
    SPLATSMITH_OT_import_head,
)
