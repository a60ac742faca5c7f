"""Speech and filmed faces onto any face: targets, their tables, and the two jobs."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper

from ...backend.protocol import InputError, Request
from ...backend.talking_head.face_verb import FaceOptions
from ...backend.talking_head.head_verb import HeadOptions
from ...backend.talking_head.speech_verb import SpeechOptions
from ...backend.talking_head.talk_verb import TalkOptions
from .. import preferences
from ..scene import results
from ..scene.faces import face_export, face_targets
from .common import FolderChooser, compute_ready, guarded, run_job

EXPORTS = [("GLTF", "glTF", "One .glb with morph targets"), ("FBX", "FBX", "For Unreal and Unity"),
           ("CSV", "Live Link CSV", "A table of coefficients by frame")]  # fmt: skip


def _folder(text: str) -> str:
    """A folder of the panel, as the backend takes it."""
    return bpy.path.abspath(text).rstrip("/\\")


class _Job:
    """What every operator that starts a job is like."""

    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return compute_ready(cls)


def _rate(scene: bpy.types.Scene) -> float:
    return scene.render.fps / scene.render.fps_base


def _chosen(context: bpy.types.Context) -> Path:
    path = Path(bpy.path.abspath(context.scene.splatsmith.speech))
    if not context.scene.splatsmith.speech or not path.is_file():
        raise InputError(
            "No sound or video is chosen."
            if not context.scene.splatsmith.speech
            else f"There is no file {path}.",
            "Choose one at the top of panel 5.",
        )
    return path


class SPLATSMITH_OT_add_face_targets(bpy.types.Operator):
    """Let the selected meshes with shape keys be moved: face, teeth, tongue, brows"""

    bl_idname = "splatsmith.add_face_targets"
    bl_label = "Add Selected Meshes"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any(obj.type == "MESH" for obj in context.selected_objects):
            cls.poll_message_set("Select a mesh with shape keys")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        meshes = [obj for obj in context.selected_objects if obj.type == "MESH"]
        able = [obj for obj in meshes if face_targets.shape_keys(obj)] or meshes[:1]
        lines = [face_targets.add_target(context.scene, obj) for obj in able]
        self.report({"INFO"}, "; ".join(lines))
        return {"FINISHED"}


class SPLATSMITH_OT_remove_face_target(bpy.types.Operator):
    """Take the mesh out of the list; its animation stays"""

    bl_idname = "splatsmith.remove_face_target"
    bl_label = "Remove Mesh"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return (
            0 <= context.scene.splatsmith.face_target < len(context.scene.splatsmith.face_targets)
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.splatsmith
        settings.face_targets.remove(settings.face_target)
        settings.face_target = min(settings.face_target, len(settings.face_targets) - 1)
        return {"FINISHED"}


class SPLATSMITH_OT_match_face(bpy.types.Operator):
    """Fill the table anew from the names of the shape keys"""

    bl_idname = "splatsmith.match_face"
    bl_label = "Match Names"
    bl_options = {"REGISTER", "UNDO"}

    poll = SPLATSMITH_OT_remove_face_target.poll

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.splatsmith
        target = settings.face_targets[settings.face_target]
        self.report({"INFO"}, f"{face_targets.fill(target)} shape keys matched")
        return {"FINISHED"}


class SPLATSMITH_OT_face_row(bpy.types.Operator):
    """Add a row to the table, or take the chosen one out"""

    bl_idname = "splatsmith.face_row"
    bl_label = "Edit Row"
    bl_options = {"REGISTER", "UNDO"}

    remove: bpy.props.BoolProperty(options={"SKIP_SAVE"})  # type: ignore[valid-type]

    poll = SPLATSMITH_OT_remove_face_target.poll

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.splatsmith
        target = settings.face_targets[settings.face_target]
        if self.remove:
            target.rows.remove(target.row)
            target.row = max(0, min(target.row, len(target.rows) - 1))
        else:
            target.rows.add().curve = "jawOpen"
            target.row = len(target.rows) - 1
        return {"FINISHED"}


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

    def execute(self, context: bpy.types.Context) -> set[str]:
        strip, settings = context.scene.sequence_editor.active_strip, context.scene.splatsmith
        settings.speech = strip.sound.filepath if strip.type == "SOUND" else strip.filepath
        settings.speech_start = round(strip.frame_start)
        return {"FINISHED"}


class SPLATSMITH_OT_speak(_Job, bpy.types.Operator):
    """Move the targets as the sound speaks: lips, jaw, blinks, head, each in a layer of its own"""

    bl_idname = "splatsmith.speak"
    bl_label = "Speak"

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        settings, path = context.scene.splatsmith, _chosen(context)
        text = settings.transcript.strip()
        block = settings.transcript_text
        options = SpeechOptions(
            fps=_rate(context.scene),
            speaker=bpy.path.abspath(settings.speaker),
            transcript=block.as_string() if block else text,
            language=settings.language,
            intensity=settings.speech_intensity,
            jaw=settings.speech_jaw,
            closure=settings.speech_closure,
            smoothing=settings.speech_smoothing,
            lead=settings.speech_lead,
            blinks=settings.blinks,
            sway=settings.sway,
        )
        return _submit(
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


class SPLATSMITH_OT_read_face(_Job, bpy.types.Operator):
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
    def execute(self, context: bpy.types.Context) -> set[str]:
        settings, path = context.scene.splatsmith, _chosen(context)
        options = FaceOptions(
            tracker=_folder(settings.face_tracker),
            rig=_folder(settings.face_rig),
            fps=_rate(context.scene),
            smoothing=settings.speech_smoothing,
            gaussians=-1 if settings.paint_head else 0,
            agree=bpy.app.online_access and settings.fetch_tracker,
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
        return _submit(self, context, request)


def _submit(operator: bpy.types.Operator, context: bpy.types.Context, request: Request) -> set[str]:
    request.context["start"] = context.scene.splatsmith.speech_start
    return run_job(operator, context, request)


class SPLATSMITH_OT_import_motion(bpy.types.Operator):
    """Put a motion that was computed before onto the targets"""

    bl_idname = "splatsmith.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH")  # type: ignore[valid-type]
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        self.report(
            {"INFO"},
            results.import_motion(context, path, path.stem, context.scene.splatsmith.speech_start),
        )
        return {"FINISHED"}


class SPLATSMITH_OT_add_head(_Job, bpy.types.Operator):
    bl_description = (
        "Add a head with ARKit's shape keys, ready to speak: the default one, or the Face Model "
        "that is set below"
    )
    bl_idname = "splatsmith.add_head"
    bl_label = "Add Head"

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
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


class SPLATSMITH_OT_talk_video(_Job, bpy.types.Operator):
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
    def execute(self, context: bpy.types.Context) -> set[str]:
        person = results.person(context)
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
        "Import a head that was captured from footage before: the folder with head.npz, its Gaussians "
        "and its motion"
    )
    bl_idname = "splatsmith.import_head"
    bl_label = "Import Head"
    bl_options = {"REGISTER", "UNDO"}

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = Path(bpy.path.abspath(self.directory))
        self.report(
            {"INFO"},
            results.import_face(
                context, folder, folder.name or "Talking", context.scene.splatsmith.speech_start
            ),
        )
        return {"FINISHED"}


class SPLATSMITH_OT_export_face(bpy.types.Operator, ExportHelper):
    bl_description = (
        "Export the targets with their animation: to game engines with ARKit's names, or as a "
        "table of Live Link Face"
    )
    bl_idname = "splatsmith.export_face"
    bl_label = "Export Face"

    kind: bpy.props.EnumProperty(items=EXPORTS, options={"SKIP_SAVE"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not context.scene.splatsmith.face_targets:
            cls.poll_message_set("Choose meshes with shape keys first")
            return False
        return True

    @property
    def filename_ext(self) -> str:
        return {"GLTF": ".glb", "FBX": ".fbx", "CSV": ".csv"}[self.kind]

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        self.report(
            {"INFO"}, face_export.export(context, Path(bpy.path.abspath(self.filepath)), self.kind)
        )
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_add_head, SPLATSMITH_OT_talk_video, SPLATSMITH_OT_import_head, SPLATSMITH_OT_export_face,
    SPLATSMITH_OT_add_face_targets, SPLATSMITH_OT_remove_face_target, SPLATSMITH_OT_match_face, SPLATSMITH_OT_face_row,
    SPLATSMITH_OT_sound_of_strip, SPLATSMITH_OT_speak, SPLATSMITH_OT_read_face, SPLATSMITH_OT_import_motion,
)  # fmt: skip
