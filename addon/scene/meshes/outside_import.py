"""Meshes from outside by Blender's own importers. Also a program: `trial.py` starts this file in a
process of its own, where the same calls are made first; hence it imports nothing of ours.

The program takes a JSON list of files on standard input, and prints a line before each and for
every frame: `trial.BEGUN` and the file's number. It ends with `trial.CANNOT` where there is no bpy.
"""

import json
import os
import sys
import time

CACHES = (".abc", ".usd", ".usdc", ".usda", ".usdz")
MOST_FRAMES = 20_000  # of a cache: thirteen minutes at 25 a second
BEGUN, CANNOT = "trial of file", 7
ROOM = 4 << 30  # bytes of memory that a trial may take, and so many more for every byte of its file
ROOM_A_BYTE = 60
SECONDS, BYTES_A_SECOND = 8.0, 1_000_000  # of CPU that a file or a frame may take, and a second for

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

try:
    import bpy
except ImportError:  # the program's Python has none
    sys.exit(CANNOT)


def import_file(path: str) -> None:
    """RuntimeError, as Blender's operators raise, also where they only report a problem."""
    kind = path[path.rfind(".") :].lower()
    if kind == ".obj":
        done = bpy.ops.wm.obj_import(filepath=path)
    elif kind == ".ply":
        done = bpy.ops.wm.ply_import(filepath=path)
    elif kind == ".stl":
        done = bpy.ops.wm.stl_import(filepath=path)
    elif kind == ".abc":
        done = bpy.ops.wm.alembic_import(
            filepath=path, as_background_job=False, set_frame_range=True
        )
    elif kind in CACHES:
        done = import_usd(path, set_frame_range=True)
    else:
        done = bpy.ops.import_scene.gltf(filepath=path, merge_vertices=False)
    if "FINISHED" not in (done or ()):
        raise RuntimeError("Blender can't open it")


def import_usd(path: str, set_frame_range: bool = False) -> set[str]:
    """Its meshes alone: by default Blender would rebuild the scene's own world from the file. What
    the operator gives back.
    """
    done = bpy.ops.wm.usd_import(
        filepath=path,
        set_frame_range=set_frame_range,
        create_world_material=False,
        import_lights=False,
        import_cameras=False,
        import_curves=False,
        import_volumes=False,
        relative_path=False,
    )
    return set(done or ())


def frames_of(path: str) -> range:
    """The frames that the importer has just set, of a cache; RuntimeError where they are too many.
    Of other files the present one.
    """
    scene = bpy.context.scene
    if not path.lower().endswith(CACHES):
        return range(scene.frame_current, scene.frame_current + 1)
    frames = range(scene.frame_start, scene.frame_end + 1)
    if len(frames) > MOST_FRAMES:
        raise RuntimeError(f"it tells of {len(frames):,} frames, more than {MOST_FRAMES:,}")
    return frames


def _limit_memory(paths: list[str]) -> None:
    """Where the system can; what is damaged may ask for any amount."""
    if resource is None:
        return
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    room = now + ROOM + ROOM_A_BYTE * max(os.path.getsize(path) for path in paths)
    resource.setrlimit(resource.RLIMIT_AS, (room, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _limit_time(path: str) -> None:
    """CPU seconds from now on, where the system can: it ends this process then."""
    if resource is not None:
        used = time.process_time() + SECONDS + os.path.getsize(path) / BYTES_A_SECOND
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1, hard))


def _tell(number: int) -> None:
    sys.stdout.write(f"{BEGUN} {number}\n")
    sys.stdout.flush()


def _try(number: int, path: str) -> None:
    """All that is done with the file later: imported, and evaluated at every frame."""
    try:
        import_file(path)
        for frame in frames_of(path):
            _limit_time(path)
            _tell(number)
            bpy.context.scene.frame_set(frame)
            graph = bpy.context.evaluated_depsgraph_get()
            for thing in bpy.context.scene.objects:
                if thing.type == "MESH":
                    shown = thing.evaluated_get(graph)
                    block = bpy.data.meshes.new_from_object(
                        shown, preserve_all_data_layers=True, depsgraph=graph
                    )
                    block.calc_loop_triangles()
                    bpy.data.meshes.remove(block)
    except RuntimeError as error:  # told when it is imported in earnest
        sys.stderr.write(f"{path}: {error}\n")
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.meshes, *bpy.data.cache_files])


def _main() -> None:
    paths = json.loads(sys.stdin.readline())
    _limit_memory(paths)
    for number, path in enumerate(paths):
        _limit_time(path)
        _tell(number)
        _try(number, path)
    sys.stderr.flush()
    os._exit(0)  # what libraries do when they are unloaded says nothing of the files


if __name__ == "__main__":
    _main()
