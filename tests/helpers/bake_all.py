"""Bakes an animated mesh as every kind of file and prints a line each: run with a Python that has
bpy.

python tests/helpers/bake_all.py MESH.npz FOLDER
"""

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def main(source: Path, folder: Path) -> None:
    from demo.blender import MODULE, load_addon

    bpy = load_addon(user_folder=Path(tempfile.mkdtemp()))
    bpy.ops.splatsmith.import_mesh(filepath=str(source))
    bake = sys.modules[f"{MODULE}.addon.scene.meshes.mesh_bake"]
    folder.mkdir(parents=True, exist_ok=True)
    obj = bpy.context.object
    for kind, ending in bake.KINDS.items():
        done = bake.bake(bpy.context, obj, folder / f"{kind.lower()}{ending}", kind)
        sys.stderr.write(
            "BAKED "
            + json.dumps({"kind": kind, "megabytes": done.megabytes, "error": done.error})
            + "\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
