"""Paths in a file's settings: they may begin at the .blend file ("//clip.mp4"), as Blender's own
do. Since 4.5 Blender wants that said, and shows the others' in red.
"""

import bpy

RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set[str]()
