"""What the talking face remembers in the .blend: its targets, their tables, and the sliders."""

import bpy

from ...backend.formats.arkit import BLENDSHAPES
from ...backend.formats.face_names import VISEME_CURVES
from ..scene.faces import face_targets
from .paths import RELATIVE

CURVES = [(name, name, "") for name in (*BLENDSHAPES, *VISEME_CURVES)]
EMOTIONS = [
    (name, label, f"By Audio2Face: {label.lower()}")
    for name, label in (
        ("neutral", "Neutral"),
        ("amazement", "Amazement"),
        ("anger", "Anger"),
        ("cheekiness", "Cheekiness"),
        ("disgust", "Disgust"),
        ("fear", "Fear"),
        ("grief", "Grief"),
        ("joy", "Joy"),
        ("outofbreath", "Out of Breath"),
        ("pain", "Pain"),
        ("sadness", "Sadness"),
    )
]
AXES = [(axis, axis, f"The bone turns about its own {axis}") for axis in "XYZ"]


def _with_keys(_settings: bpy.types.PropertyGroup, obj: bpy.types.Object) -> bool:
    return obj.type == "ARMATURE" or bool(face_targets.shape_keys(obj))


def _armature(_settings: bpy.types.PropertyGroup, obj: bpy.types.Object) -> bool:
    return obj.type == "ARMATURE"


class SplatsmithFaceRow(bpy.types.PropertyGroup):
    """One curve of a motion and the shape key that it moves."""

    curve: bpy.props.EnumProperty(
        name="Curve", items=CURVES, default="jawOpen", description="What the face does"
    )
    key: bpy.props.StringProperty(name="Shape Key", description="The shape key that does it")
    gain: bpy.props.FloatProperty(
        name="Gain",
        default=1.0,
        soft_min=-2,
        soft_max=2,
        description="How far; negative: the other way",
    )


class SplatsmithFaceTarget(bpy.types.PropertyGroup):
    """A mesh that is moved."""

    obj: bpy.props.PointerProperty(name="Mesh or Armature", type=bpy.types.Object, poll=_with_keys)
    rows: bpy.props.CollectionProperty(type=SplatsmithFaceRow)
    row: bpy.props.IntProperty()
    bones: bpy.props.StringProperty(
        name="Bone Table",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="Which bone does what, as JSON; empty: the one of Rigify or Auto-Rig Pro",
    )


class SplatsmithFaceVideo(bpy.types.PropertyGroup):
    """One more video of the person whose face is captured."""

    path: bpy.props.StringProperty(
        name="Video",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="A video of the same person",
    )


class TalkingSettings:
    """Part of SplatsmithSettings (properties.py)."""

    speech: bpy.props.StringProperty(
        name="Sound",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="A sound or a video file with speech",
    )
    speech_start: bpy.props.IntProperty(
        name="Start Frame", default=1, description="Where the sound begins in the scene"
    )
    face_targets: bpy.props.CollectionProperty(type=SplatsmithFaceTarget)
    face_target: bpy.props.IntProperty(name="Active Target")
    speech_intensity: bpy.props.FloatProperty(
        name="Intensity", default=1, min=0, max=3, description="How much the face moves"
    )
    speech_jaw: bpy.props.FloatProperty(
        name="Jaw", default=1, min=0, max=3, description="How far the jaw opens"
    )
    speech_closure: bpy.props.FloatProperty(
        name="Closure",
        default=1,
        min=0,
        max=5,
        description="How firmly lips close on p, b, m and touch the teeth on f, v",
    )
    speech_smoothing: bpy.props.FloatProperty(
        name="Smoothing",
        default=0,
        min=0,
        max=1,
        unit="TIME_ABSOLUTE",
        description="Time over which motion is smoothed",
    )
    speech_lead: bpy.props.FloatProperty(
        name="Lead (ms)",
        default=0,
        min=-1000,
        max=1000,
        description="How far the face is ahead of its sound; negative: behind",
    )
    blinks: bpy.props.FloatProperty(
        name="Blinks", default=15, min=0, max=120, description="A minute; 0: none"
    )
    sway: bpy.props.FloatProperty(
        name="Head Sway",
        default=1,
        min=0,
        max=5,
        description="How much the head goes along with the voice",
    )
    speech_expression: bpy.props.FloatProperty(
        name="Expression",
        default=1,
        min=0,
        max=3,
        description="How much brows and eyes go along with the voice; 0: not at all",
    )
    speech_gaze: bpy.props.FloatProperty(
        name="Gaze",
        default=1,
        min=0,
        max=2,
        description="How far the eyes look away in pauses; 0: not at all",
    )
    speaker: bpy.props.StringProperty(
        name="Speaker",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="How one person speaks, as Capture Face learned it; empty: a universal style",
    )
    transcript: bpy.props.StringProperty(
        name="Transcript", description="What is said: lips then close exactly; empty: by ear"
    )
    transcript_text: bpy.props.PointerProperty(
        name="Transcript Text",
        type=bpy.types.Text,
        description="A text of this file with what is said",
    )
    language: bpy.props.StringProperty(
        name="Language",
        default="en-us",
        description="Of the transcript: en-us, de, fr, es, it, pl, ja …",
    )
    transcript_file: bpy.props.StringProperty(
        name="Subtitles",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="A file with what is said: text, SubRip (.srt) or WebVTT (.vtt)",
    )
    character: bpy.props.StringProperty(
        name="Character",
        description="Whose lines the face says, of a transcript with names (ANNA: …); empty: all",
    )
    trust_transcript: bpy.props.BoolProperty(
        name="Trust Transcript",
        default=False,
        description="Align the transcript even where it does not seem to belong to the sound",
    )
    speech_channel: bpy.props.EnumProperty(
        name="Channel",
        items=[
            ("mix", "Mix", "All channels together"),
            ("left", "Left", "The left channel alone"),
            ("right", "Right", "The right channel alone"),
        ],
        default="mix",
        description="Which channel of a stereo sound is heard",
    )
    assume_speech: bpy.props.BoolProperty(
        name="Treat as Speech",
        default=False,
        description="Take the sound for speech, even where none is heard in it",
    )
    sound_model: bpy.props.StringProperty(
        name="Sound Model",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="A network that hears speech: the one that the speaker was taught with, or a "
        "recogniser with its vocab.json, such as wav2vec 2.0",
    )
    voice_model: bpy.props.StringProperty(
        name="Voice Model",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="A network that tells speech from other sounds, such as Silero VAD; "
        "empty: a measured rule",
    )
    audio2face: bpy.props.StringProperty(
        name="Audio2Face",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="The folder of an Audio2Face-3D network (Claire, James or Mark), which moves "
        "the whole face by ear, with an emotion",
    )
    emotion: bpy.props.EnumProperty(
        name="Emotion", items=EMOTIONS, default="neutral", description="What the face feels"
    )
    emotion_strength: bpy.props.FloatProperty(
        name="Strength", default=0.7, min=0, max=1, description="How much of that emotion"
    )
    head_object: bpy.props.PointerProperty(
        name="Head", type=bpy.types.Object, description="The object that turns with the head"
    )
    bone_table: bpy.props.StringProperty(
        name="Bone Table",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="For face rigs that are added: which bone does what, as JSON; empty: the one "
        "of Rigify or Auto-Rig Pro",
    )
    jaw_rig: bpy.props.PointerProperty(
        name="Jaw Armature",
        type=bpy.types.Object,
        poll=_armature,
        description="For faces whose jaw is a bone",
    )
    jaw_bone: bpy.props.StringProperty(name="Jaw Bone", description="The bone that opens the jaw")
    jaw_axis: bpy.props.EnumProperty(name="Axis", items=AXES, default="X")
    jaw_degrees: bpy.props.FloatProperty(
        name="Degrees", default=25, min=-90, max=90, description="How far it turns when wide open"
    )
    spoken: bpy.props.StringProperty(
        name="Spoken", description="The motion of what was spoken last", options={"HIDDEN"}
    )
    consent: bpy.props.BoolProperty(
        name="Person Has Agreed",
        default=False,
        description="Whoever is filmed has agreed to this use",
    )
    face_videos: bpy.props.CollectionProperty(type=SplatsmithFaceVideo)
    face_video: bpy.props.IntProperty(name="Active Video")
    trust_videos: bpy.props.BoolProperty(
        name="One Person",
        default=False,
        description="Learn from all videos, even where a face does not seem to be the first one's",
    )
    face_rig: bpy.props.StringProperty(
        name="Face Model",
        subtype="FILE_PATH",
        options=RELATIVE,
        description="The folder FaceXModel of ICT-FaceKit (MIT licence), or FLAME's file; empty: "
        "the default head",
    )
    face_tracker: bpy.props.StringProperty(
        name="Tracker",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="A folder with mediapipe's networks for faces, or an empty one to download to",
    )
    paint_head: bpy.props.BoolProperty(
        name="Gaussian Head",
        default=True,
        description="Also paint the person as Gaussians on the head: photoreal, and a minute more",
    )
    head_variety: bpy.props.FloatProperty(
        name="Variety",
        default=0,
        min=0,
        max=3,
        description="How far a new head is from the mean face; the seed says which way",
    )
    fetch_tracker: bpy.props.BoolProperty(
        name="Download Tracker (36 MB)",
        default=False,
        description="Fetch the face tracker's networks from the Python package index (Apache-2.0); "
        "4 of the 36 MB are kept",
    )


CLASSES = (SplatsmithFaceRow, SplatsmithFaceTarget, SplatsmithFaceVideo)
