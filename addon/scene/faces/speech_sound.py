"""The sound of a speech in the scene's sequencer, so that what is seen can be heard."""

from pathlib import Path

import bpy

TAG = "splatsmith_speech"  # on our strips


def add(scene: bpy.types.Scene, path: Path, start: int) -> None:
    """Once: our own strip of a file is moved, one that an artist has put there is left alone.
    Playback drops frames rather than run behind it.
    """
    if not path.is_file():  # a motion from elsewhere may name anything, a pipe too
        return
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    for strip in strips:
        source = (
            strip.sound.filepath
            if strip.type == "SOUND" and strip.sound
            else getattr(strip, "filepath", "")
        )
        if source and Path(bpy.path.abspath(source)) == path:
            if strip.get(TAG):
                strip.frame_start = start
            return
    try:
        channel = 1 + max((strip.channel for strip in strips), default=0)
        strips.new_sound(path.stem, str(path), channel, start)[TAG] = True
    except RuntimeError:  # no sound in it that Blender can play: the face moves all the same
        return
    scene.sync_mode = "AUDIO_SYNC"
