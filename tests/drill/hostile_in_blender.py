"""Damaged mesh files through the operators of the add-on, in a Blender that is watched: run by a
Python that has bpy.

    .venv-bpy53/bin/python tests/drill/hostile_in_blender.py [--many 12] [--seed 0] [--bare]

`--bare` leaves out the trial in another process. Prints what ended otherwise than in a sentence,
and a line of figures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
CHILD = """
import json, sys, time
from pathlib import Path
sys.path[:0] = json.loads(sys.argv[1])
from demo.blender import MODULE, load_addon
bpy = load_addon(user_folder=Path(sys.argv[2]))
if sys.argv[3] == "bare":
    sys.modules[MODULE + ".addon.scene.meshes.trial"].check = lambda paths: None
for path in map(Path, json.loads(sys.stdin.read())):
    print(json.dumps({"file": str(path)}), flush=True)
    began, said = time.monotonic(), ""
    try:
        if path.is_dir():
            bpy.ops.splatsmith.import_mesh_files(directory=str(path), follow=False)
        else:
            bpy.ops.splatsmith.import_mesh_cache(filepath=str(path), follow=False)
    except RuntimeError as error:
        said = str(error).strip()
    seconds = time.monotonic() - began
    print(json.dumps({"file": str(path), "said": said, "seconds": seconds}), flush=True)
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.meshes, *bpy.data.cache_files])
"""
CACHES = """
import sys
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add()
cube, scene = bpy.context.object, bpy.context.scene
cube.shape_key_add(name="Basis")
cube.shape_key_add(name="In").data[0].co = (0.2, 0.1, 0)
for frame, value in ((1, 0.0), (4, 1.0)):
    cube.data.shape_keys.key_blocks[1].value = value
    cube.data.shape_keys.key_blocks[1].keyframe_insert("value", frame=frame)
scene.frame_start, scene.frame_end = 1, 4
bpy.ops.wm.alembic_export(filepath=sys.argv[1] + "/c.abc", as_background_job=False)
for kind in ("usdc", "usda", "usdz"):
    bpy.ops.wm.usd_export(filepath=f"{sys.argv[1]}/c.{kind}", export_animation=True)
"""


def corpus(folder: Path, many: int, seed: int) -> list[Path]:
    """Caches as files; other kinds as folders of a sound file and a damaged one."""
    from helpers import hostile_meshes as hostile

    subprocess.run([sys.executable, "-c", CACHES, str(folder)], check=True, capture_output=True)
    caches = [folder / f"c.{kind}" for kind in ("abc", "usdc", "usda", "usdz")]
    paths = [
        path
        for cache in caches
        for path in hostile.write(
            folder / "caches", hostile.damaged(cache.name, cache.read_bytes(), many, seed)
        )
    ]
    sound = {
        "ply": hostile.ply(),
        "obj": hostile.OBJ,
        "stl": hostile.stl(),
        "glb": hostile.gltf(),
        "binary.ply": hostile.binary_ply(),
    }
    files = list(hostile.written())
    for name, data in sound.items():
        files += hostile.damaged(f"d{name[0]}.{name}".replace(".binary", ""), data, many, seed)
    for number, (name, data) in enumerate(files):
        kind = name.rpartition(".")[2]
        place = folder / "sequences" / f"{number:03d}_{name}"
        hostile.write(place, iter([(f"a1.{kind}", sound[kind]), (f"a2.{kind}", data)]))
        paths.append(place)
    return paths


def fed(paths: list[Path], bare: bool) -> dict[str, tuple[str, float]]:
    """What was said to each ("DIED" where Blender did), and seconds."""
    said: dict[str, tuple[str, float]] = {}
    while left := [path for path in paths if str(path) not in said]:
        at, folders = "", json.dumps([str(ROOT), str(ROOT / "tests")])
        with (
            tempfile.TemporaryDirectory() as user,
            subprocess.Popen(
                [sys.executable, "-c", CHILD, folders, user, "bare" if bare else "whole"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
            ) as process,
        ):
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps([str(path) for path in left]))
            process.stdin.close()
            for line in process.stdout:
                if line.startswith('{"file"'):
                    record = json.loads(line)
                    at = record["file"]
                    if "said" in record:
                        said[at] = record["said"], record["seconds"]
                        print(Path(at).name, *said[at], file=sys.stderr, flush=True)
        if at and at not in said:
            said[at] = f"DIED ({process.returncode})", 0.0
        elif not at:
            raise SystemExit("Blender can't be started with the add-on.")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bare", action="store_true")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        paths = corpus(Path(name), arguments.many, arguments.seed)
        said = fed(paths, arguments.bare)
        rows = {Path(path).name: row for path, row in said.items()}
    died = [name for name, (text, _) in rows.items() if text.startswith("DIED")]
    traced = [n for n, (text, _) in rows.items() if "Traceback" in text or "INTERNAL" in text]
    for name in (*died, *traced):
        print(name, rows[name][0].splitlines()[-1])
    refused = sum(bool(text) for text, _ in rows.values())
    longest = max(rows, key=lambda name: rows[name][1])
    print(
        f"{len(rows)} files: {len(died)} deaths, {len(traced)} tracebacks, {refused} refused in a "
        f"sentence; longest {rows[longest][1]:.1f} s ({longest}); "
        f"{time.monotonic() - began:.0f} s in all"
    )


if __name__ == "__main__":
    main()
