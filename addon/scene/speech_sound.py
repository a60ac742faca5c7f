"""The sound of a speech in the scene's sequencer, so that what is seen can be heard."""

from pathlib import Path

import bpy


def add(scene: bpy.types.Scene, path: Path, start: int) -> None:
    """Once: a file that already sounds in the scene is left alone. Playback drops frames rather than run behind it."""
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    for strip in strips:
        source = strip.sound.filepath if strip.type == "SOUND" and strip.sound else getattr(strip, "filepath", "")
        if source and Path(bpy.path.abspath(source)) == path:
            return
    try:
        channel = 1 + max((strip.channel for strip in strips), default=0)
        strips.new_sound(path.stem, str(path), channel, start)
    except RuntimeError:  # no sound in it that Blender can play: the face moves all the same
        return
    scene.sync_mode = "AUDIO_SYNC"
