"""Run by Blender's Python: what a captured head costs a frame, with its Gaussians and without.

python blender_head.py FOLDER  # that `face` left; prints CPU milliseconds: with, without, Gaussians
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from demo.blender import MODULE, load_addon  # noqa: E402

FRAMES = 60


def frame_cost(scene: Any) -> float:
    """CPU milliseconds of a new frame, evaluated, after a few that warm up."""
    for number in range(1, 6):
        scene.frame_set(number)
    start = time.process_time()
    for number in range(6, 6 + FRAMES):
        scene.frame_set(number)
    return (time.process_time() - start) / FRAMES * 1000


def main() -> None:
    """As *Import Head* brings it, every shape key moving."""
    bpy = load_addon(user_folder=Path(tempfile.mkdtemp()))
    results = __import__(f"{MODULE}.addon.scene.results", fromlist=["import_head"])
    mesh = results.import_head(bpy.context, Path(sys.argv[1]), "Person")
    for number, block in enumerate(mesh.data.shape_keys.key_blocks[1:]):
        for frame in range(1, 10 + FRAMES, 3):
            block.value = 0.3 * ((frame + number) % 4) / 3
            block.keyframe_insert("value", frame=frame)
    cloud = mesh.children[0]
    scene = bpy.context.scene
    whole = frame_cost(scene)
    count = len(cloud.data.points)
    cloud.hide_viewport = True
    sys.stdout.write(f"{whole:.3f} {frame_cost(scene):.3f} {count}\n")


if __name__ == "__main__":
    main()
