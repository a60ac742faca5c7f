"""F19: millions of splats, thousands of cameras, hundreds of meshes in one file: how long what the
add-on does between two redraws holds Blender up, outside of the imports. Run by a Python that has
bpy; prints a table and leaves it as JSON.

    .venv-bpy53/bin/python tests/drill/heavy_scene.py [--splats 10000000] [--out out/heavy.json]
"""

import argparse
import json
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
BAR = 0.2  # seconds
REPEATS = 5
VARIADIC = 0x04  # of a code object that takes any number of arguments
Rows = dict[str, float]


class FakeLayout:
    """Takes whatever a panel draws."""

    def __getattr__(self, _name: str) -> Any:
        return self

    def __call__(self, *_args: Any, **_named: Any) -> Any:
        return self

    def __setattr__(self, _name: str, _value: Any) -> None:
        pass


def splat_file(path: Path, count: int) -> Path:
    from backend.formats import splat_ply

    generator = np.random.default_rng(0)
    quats = np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))
    arrays = splat_ply.SplatArrays(
        means=generator.random((count, 3), np.float32) * 10,
        quats=quats,
        log_scales=np.full((count, 3), -5, np.float32),
        opacity_logits=np.ones(count, np.float32),
        sh=generator.random((count, 1, 3), np.float32),
    )
    splat_ply.write(path, arrays)
    return path


def png(side: int = 16) -> bytes:
    """A grey picture."""
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * (3 * side) for _ in range(side)))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", rows)]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in (*parts, (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    return data


def capture_folder(folder: Path, count: int) -> Path:
    from backend.formats import capture

    (folder / "images").mkdir(parents=True)
    frames = []
    for number in range(count):
        image = folder / "images" / f"{number:05d}.png"
        image.write_bytes(png())
        pose = np.eye(4)
        pose[0, 3] = number / count
        frames.append(
            capture.Frame(
                image=image,
                camera_to_world=pose,
                fl_x=20.0,
                fl_y=20.0,
                cx=8.0,
                cy=8.0,
                width=16,
                height=16,
            )
        )
    capture.write(folder, frames, None)
    return folder


def mesh_file(path: Path, frames: int) -> Path:
    from blender.waves import waving

    from backend.formats import mesh_sequence

    path.parent.mkdir()
    mesh_sequence.write(path, waving(side=60, frames=frames))
    return path


def timed(rows: Rows, name: str, work: Callable[[], Any]) -> None:
    """The longest of all calls of that name, in CPU seconds of this thread: what others do on the
    machine is no stall of ours.
    """
    began = time.thread_time()
    work()
    rows[name] = max(rows.get(name, 0.0), time.thread_time() - began)


def watch_handlers(bpy: Any, rows: Rows, module: str) -> None:
    """Every handler of the add-on is timed from now on."""
    kinds = ("load_post", "depsgraph_update_post", "frame_change_post", "undo_post", "save_pre")
    for kind in kinds:
        handlers = getattr(bpy.app.handlers, kind)
        for place, ours in enumerate(list(handlers)):
            if ours.__module__.startswith(module):
                name = f"{kind}: {ours.__module__.rpartition('.')[2]}.{ours.__name__}"

                def wrapped(*given: Any, _ours: Any = ours, _name: str = name) -> None:
                    code = _ours.__code__
                    takes = given if code.co_flags & VARIADIC else given[: code.co_argcount]
                    timed(rows, _name, lambda: _ours(*takes))

                handlers[place] = bpy.app.handlers.persistent(wrapped)


def draw_panels(bpy: Any, rows: Rows, room: Callable[[str], Any]) -> None:
    """Polls and draws every panel."""
    context = bpy.context
    seen = SimpleNamespace(layout=FakeLayout(), bl_label="")
    region = SimpleNamespace(width=300)
    for panel in room("ui").CLASSES:
        if not hasattr(panel, "draw"):
            continue
        given = ContextWith(context, region)

        def work(panel: Any = panel, given: Any = given) -> None:
            if not hasattr(panel, "poll") or panel.poll(given):
                panel.draw(seen, given)

        try:
            timed(rows, f"panel {panel.__name__}", work)
        except (TypeError, AttributeError, KeyError) as error:
            print(f"not drawn: {panel.__name__}: {error}")


class ContextWith:
    """The context, and a region, which there is none of without a window."""

    def __init__(self, context: Any, region: Any) -> None:
        self._context, self.region = context, region

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def settle(bpy: Any, rows: Rows, later: Any) -> None:
    """Blender redraws, and its timer goes on with what was begun."""
    bpy.context.view_layer.update()
    while later.pending():
        timed(rows, "a slice of work", later.tick)
        bpy.context.view_layer.update()


def edit(bpy: Any, rows: Rows, cloud: Any, room: Callable[[str], Any]) -> None:
    """A thousandth of the splats is selected; a crop around them is moved; every filter is set."""
    marks, later = room("scene.splats.marks"), room("scene.splats.later")
    selected = np.zeros(len(marks.read(cloud, marks.SELECTED)), bool)
    selected[::1000] = True
    timed(rows, "a selection", lambda: marks.write(cloud, marks.SELECTED, selected))
    settle(bpy, rows, later)
    timed(rows, "Add Crop", bpy.ops.splatsmith.add_crop)
    settle(bpy, rows, later)
    for crop in room("scene.splats.filtering").crops_of(cloud):
        crop.location.x += 0.5
    settle(bpy, rows, later)
    for name in ("opacity", "size", "elongation", "distance"):
        timed(rows, "a filter", partial(setattr, cloud.splatsmith_filters, name, 0.9))
        settle(bpy, rows, later)


def show_objects(bpy: Any, rows: Rows, cloud: Any, room: Callable[[str], Any]) -> None:
    """Every splat is of one of two objects, which the panel shows."""
    objects, later = room("scene.objects.objects"), room("scene.splats.later")
    points = room("scene.splats.pointclouds")
    numbers = np.arange(points.point_count(cloud.data), dtype=np.int32) % 2
    points.write_attributes(cloud.data, {objects.LABEL: ("INT", numbers)})
    for number in range(2):
        cloud.splatsmith_objects.add().number = number
    settings = bpy.context.scene.splatsmith
    timed(rows, "the objects' colors", lambda: setattr(settings, "splat_view", "OBJECTS"))
    settle(bpy, rows, later)


def measure(bpy: Any, module: str, home: Path, count: int) -> tuple[Rows, Rows]:
    """Seconds of the imports and of Blender's own work, and the longest of all else."""

    def room(name: str) -> Any:
        return sys.modules[f"{module}.addon.{name}"]

    imports: Rows = {}
    rows: Rows = {}
    ops = bpy.ops.splatsmith
    capture = capture_folder(home / "capture", 2000)
    timed(imports, "import of 2,000 cameras", lambda: ops.import_capture(directory=str(capture)))
    sequence = mesh_file(home / "wave" / "mesh.npz", 500)
    timed(imports, "import of 500 meshes", lambda: ops.import_mesh(filepath=str(sequence)))
    path = splat_file(home / "many.ply", count)
    timed(imports, f"import of {count:,} splats", lambda: ops.import_splats(filepath=str(path)))
    path.unlink()
    cloud = room("scene.splats.splats").chosen(bpy.context)
    watch_handlers(bpy, rows, module)
    later = room("scene.splats.later")
    later.at_once = lambda: False  # as in a window
    lifecycle = room("jobs.lifecycle")
    for frame in range(1, REPEATS + 1):
        timed(rows, "the timer's tick", lifecycle._tick)
        bpy.context.scene.frame_set(frame * 100)
        cloud.location.x += 0.1
        bpy.context.view_layer.update()
        draw_panels(bpy, rows, room)
    cloud.data.update_tag()
    bpy.context.view_layer.update()
    edit(bpy, rows, cloud, room)
    show_objects(bpy, rows, cloud, room)
    cloud.data.update_tag()
    timed(imports, "the splats' nodes, by Blender itself", bpy.context.view_layer.update)
    saved = home / "heavy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved), compress=False)
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    settle(bpy, rows, later)
    draw_panels(bpy, rows, room)
    return imports, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splats", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    from demo.blender import MODULE, load_addon

    with tempfile.TemporaryDirectory() as name:
        bpy = load_addon(user_folder=Path(name) / "user")
        imports, rows = measure(bpy, MODULE, Path(name), arguments.splats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for title, seconds in imports.items():
        print(f"{title}: {seconds:.2f} s")
    for title, seconds in sorted(rows.items(), key=lambda row: -row[1]):
        print(f"{seconds:8.4f} s  {'TOO LONG  ' if seconds > BAR else ''}{title}")
    print(f"{bpy.app.version_string}: longest {max(rows.values()):.3f} s, peak {peak:.1f} GB")
    if arguments.out:
        record = {"imports": imports, "stalls": rows, "peak_gigabytes": peak}
        arguments.out.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
