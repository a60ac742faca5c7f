"""What objects cost: `segment` in a process of its own on a room of SPLATS splats and 30 pictures,
drawing in colour, as objects and as heat, and a word that was never asked before.
"""

import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import torch
from helpers import furnished_room
from helpers.furnished_room import FOCAL, SIZE, Room
from PIL import Image

from backend.formats import capture, splat_ply
from backend.formats.capture import Frame
from backend.formats.semantics_file import NOTHING, Semantics
from backend.formats.splat_ply import SplatArrays
from backend.gaussians.model import from_arrays
from backend.gaussians.options import RasterOptions
from backend.geometry.conventions import from_viewmat
from backend.geometry.spherical_harmonics import SH_C0
from backend.semantics.query import ask, prompts_of
from backend.semantics.regions import torchvision_shim
from backend.semantics.rendering.painting import heat_of, object_colors, own_colors
from backend.semantics.rendering.render_job import render_frame
from backend.semantics.teachers import open_clip_teacher
from backend.semantics.teachers.teacher import Teacher
from backend.semantics.words_service import CachedTeacher
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import Row, Table

MILLION, OBJECTS, LARGER, VIEWS = 1_000_000, 60, 2.5, 30
SPLATS = [int(s) for s in os.environ.get("SPLATS", "200000,1000000").split(",")]
TIMES = 9  # that each is drawn; the least counts


def run(table: Table) -> None:
    room = furnished_room.make(0, views=VIEWS)
    for splats in SPLATS:
        folder = written(room, splats, table.scratch / f"speed-{splats}")
        _segment(folder, splats, table)
        drawing(folder, splats, table)
    _codes(table)


def _segment(folder: Path, splats: int, table: Table) -> None:
    ply = folder / "splats.ply"
    start = time.perf_counter()
    done = backend("segment", ply, folder / "out", "--capture", str(folder))
    if isinstance(done, str):
        raise RuntimeError(f"segment failed: {done}")
    seconds, (cpu, peak) = time.perf_counter() - start, cost(done)
    case = f"{splats} splats, {done['metrics']['pictures']:.0f} pictures"
    table.add(Row(case, "segment: CPU", cpu, "s", 0, cpu, peak))
    table.add(Row(case, "segment: peak memory", peak, "MB", 0, cpu, peak))
    table.add(Row(case, "segment: wall", seconds, "s", 0, cpu, peak))


def drawing(folder: Path, splats: int, table: Table) -> None:
    """CPU seconds of a picture, the three ways in turn; those of objects and heat against colour.
    Called with the folder that `segment` has left its output in.
    """
    arrays = splat_ply.read(folder / "out" / "splats.ply")
    model, frame = from_arrays(arrays, "cpu"), capture.read(folder).frames[0]
    labels = arrays.extra["object_id"].astype(np.int32)
    random, device = np.random.default_rng(0), torch.device("cpu")
    colors = random.random((int(labels.max()) + 1, 3)).astype(np.float32)
    ways = {
        "colour, degree 3": own_colors(model),
        "objects": object_colors(labels, colors, device),
        "heat": heat_of(random.random(splats).astype(np.float32), arrays, device),
    }
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(TIMES):
        for name, paint in ways.items():
            start = time.process_time()
            render_frame(model, frame, 1.0, (1.0, 1.0, 1.0), RasterOptions(), paint)
            least[name] = min(least[name], time.process_time() - start)
    case, plain = f"{splats} splats", least["colour, degree 3"]
    for name, seconds in least.items():
        table.add(Row(case, f"drawing {name}: CPU", 1000 * seconds, "ms"))
    for name in ("objects", "heat"):
        table.add(Row(case, f"drawing {name}, of colour", 100 * least[name] / plain, "%"))


def written(room: Room, splats: int, folder: Path) -> Path:
    """The room's capture at 480 pixels and so many splats, as harmonics of degree 3."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    size = round(SIZE[0] * LARGER), round(SIZE[1] * LARGER)
    frames = []
    for i, (shown, view) in enumerate(zip(room.images, room.views, strict=True)):
        path = folder / "images" / f"{i:03d}.png"
        Image.fromarray(cv2.resize(shown, size)).save(path)
        frames.append(
            Frame(
                image=path,
                camera_to_world=from_viewmat(view.viewmat.double().numpy()),
                fl_x=LARGER * FOCAL,
                fl_y=LARGER * FOCAL,
                cx=size[0] / 2,
                cy=size[1] / 2,
                width=size[0],
                height=size[1],
            )
        )
    capture.write(folder, frames, None)
    splat_ply.write(folder / "splats.ply", _so_many(room, splats))
    return folder


def _so_many(room: Room, wanted: int) -> SplatArrays:
    """The room's Gaussians, some of them, or each several times at slightly other places."""
    random, g = np.random.default_rng(1), room.gaussians
    there = len(g.means)
    index = random.permutation(np.resize(np.arange(there), max(wanted, there)))[:wanted]
    sh = random.normal(0, 0.01, (wanted, 16, 3)).astype(np.float32)
    sh[:, 0] = (room.rgb[index] - 0.5) / SH_C0
    smaller = min(1.0, (there / wanted) ** 0.5)
    return SplatArrays(
        means=g.means.numpy()[index] + random.normal(0, 0.01, (wanted, 3)).astype(np.float32),
        quats=g.quats.numpy()[index],
        log_scales=(smaller * g.scales).log().numpy()[index],
        opacity_logits=torch.logit(g.opacities).numpy()[index],
        sh=sh,
    )


def _codes(table: Table) -> None:
    random = np.random.default_rng(0)
    shares = np.zeros((MILLION, 3), np.uint8)
    shares[:, 0] = 255
    objects = np.full((MILLION, 3), NOTHING, np.uint16)
    objects[:, 0] = random.integers(0, OBJECTS, MILLION)
    features = random.normal(size=(OBJECTS, 512)).astype(np.float32)
    bytes_each = (objects.nbytes + shares.nbytes) / MILLION + 2
    table.add(Row("codes", "bytes a Gaussian, its object included", bytes_each, "B"))
    _query(
        Semantics(
            objects=objects, shares=shares, features=features, mean=np.zeros(512, np.float32)
        ),
        table,
    )


def _query(scene: Semantics, table: Table) -> None:
    """The whole way of a word that was never asked before, through a text tower of ViT-B/32's size.
    Its weights are random: that costs the same, and says nothing.
    """
    torchvision_shim.make_importable()
    import open_clip

    network = open_clip.create_model("ViT-B-32", pretrained=None).eval()
    tokenize = open_clip.get_tokenizer("ViT-B-32")
    config, device = open_clip_teacher.OpenClipConfig(), torch.device("cpu")
    plain = open_clip_teacher.wrapped(network, tokenize, "", device, config)
    teacher: Teacher = CachedTeacher(plain, 5000)
    ask(scene, teacher, prompts_of("warm"))
    numbers = count()

    def new_word() -> object:
        return ask(scene, teacher, prompts_of(f"lamp {next(numbers)}")).chosen(0.5)

    for metric, work in (
        ("new word to selection", new_word),
        ("known words to selection", lambda: ask(scene, teacher, prompts_of("warm"))),
    ):
        table.add(Row("a million Gaussians", metric, 1000 * _seconds(work), "ms"))


def _seconds(work: Callable[[], object]) -> float:
    """Wall time, the least of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
