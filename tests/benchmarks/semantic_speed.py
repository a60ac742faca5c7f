"""What segmentation and words cost: CPU time and wall time, bytes, milliseconds from prompt to
selection.
"""

import functools
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import cv2
import numpy as np
import torch
from helpers import command_line
from helpers.furnished_room import FOCAL, SIZE, Room
from PIL import Image

from backend.formats import capture, splat_ply
from backend.formats.semantics_file import NOTHING, Semantics
from backend.formats.splat_ply import SplatArrays
from backend.gaussians.rasterize import rasterize
from backend.geometry.conventions import from_viewmat
from backend.geometry.spherical_harmonics import SH_C0
from backend.semantics.object_codes import ObjectCodes
from backend.semantics.query import ask, prompts_of
from backend.semantics.regions import torchvision_shim
from backend.semantics.teachers import open_clip_teacher
from backend.semantics.teachers.teacher import Teacher
from backend.semantics.words_service import CachedTeacher
from tests.benchmarks.table import Row, Table

MILLION, OBJECTS, LARGER = 1_000_000, 60, 2.5


def run(room: Room, table: Table) -> None:
    random = np.random.default_rng(0)
    shares = np.zeros((MILLION, 3), np.uint8)
    shares[:, 0] = 255
    objects = np.stack(
        [random.integers(0, OBJECTS, MILLION), *np.full((2, MILLION), NOTHING)], 1
    ).astype(np.uint16)
    features = random.normal(size=(OBJECTS, 512)).astype(np.float32)
    scene = Semantics(
        objects=objects, shares=shares, features=features, mean=np.zeros(512, np.float32)
    )
    table.add(
        Row(
            "codes",
            "bytes a Gaussian, its object included",
            (objects.nbytes + shares.nbytes) / MILLION + 2,
            "B",
        )
    )
    _query(scene, table)
    _drawing(
        room, ObjectCodes(objects, shares).mix(random.random(OBJECTS).astype(np.float32)), table
    )
    for splats in (27_000, 200_000):
        _segment(room, splats, table)


def _seconds(work: Callable[[], object]) -> float:
    """Wall time, the least of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _query(scene: Semantics, table: Table) -> None:
    """The whole way of a word that was never asked before, through a text tower of ViT-B/32's size.
    Its weights are random: that costs the same, and says nothing.
    """
    torchvision_shim.make_importable()
    import open_clip

    network, tokenize = (
        open_clip.create_model("ViT-B-32", pretrained=None).eval(),
        open_clip.get_tokenizer("ViT-B-32"),
    )
    config, device = open_clip_teacher.OpenClipConfig(), torch.device("cpu")
    teacher: Teacher = CachedTeacher(
        open_clip_teacher.wrapped(network, tokenize, "", device, config), 5000
    )
    ask(scene, teacher, prompts_of("warm"))
    numbers = count()

    def new_word() -> object:
        return ask(scene, teacher, prompts_of(f"lamp {next(numbers)}")).chosen(0.5)

    table.add(Row("a million Gaussians", "new word to selection", 1000 * _seconds(new_word), "ms"))
    table.add(
        Row(
            "a million Gaussians",
            "known words to selection",
            1000 * _seconds(lambda: ask(scene, teacher, prompts_of("warm"))),
            "ms",
        )
    )


def _drawing(room: Room, heat: np.ndarray, table: Table) -> None:
    g, view = room.gaussians, room.views[0]
    sh, one = (
        torch.zeros(len(g.means), 16, 3),
        torch.from_numpy(heat[: len(g.means), None]).expand(-1, 3).contiguous(),
    )
    arrays = (g.means, g.quats, g.scales, g.opacities)
    for name, colors, degree in (("colour, degree 3", sh, 3), ("heat", one, None)):
        seconds = _seconds(
            functools.partial(
                rasterize,
                *arrays,
                colors,
                view.viewmat[None],
                view.K[None],
                *SIZE,
                sh_degree=degree,
            )
        )
        table.add(Row(f"{len(g.means)} Gaussians", f"drawing {name}", 1000 * seconds, "ms"))


def _segment(room: Room, splats: int, table: Table) -> None:
    """The verb itself, without an encoder: 30 pictures of 480 pixels."""
    folder = table.scratch / f"speed-{splats}"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    size, frames = (round(SIZE[0] * LARGER), round(SIZE[1] * LARGER)), []
    for i, (shown, view) in enumerate(zip(room.images, room.views, strict=True)):
        path = folder / "images" / f"{i:03d}.png"
        Image.fromarray(cv2.resize(shown, size)).save(path)
        pose = from_viewmat(view.viewmat.double().numpy())
        frames.append(
            capture.Frame(
                image=path,
                camera_to_world=pose,
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
    out = folder / f"out-{time.time_ns()}"
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = command_line.backend(
        "segment",
        "--input",
        folder / "splats.ply",
        "--capture",
        folder,
        "--output",
        out,
        "--preset",
        "balanced",
    )
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        raise RuntimeError(done.stderr)
    table.add(
        Row(f"{splats} Gaussians, 30 views", "segment, wall time", seconds, "s", cpu_seconds=cpu)
    )


def _so_many(room: Room, wanted: int) -> SplatArrays:
    """The room's Gaussians, some of them, or each several times at slightly other places."""
    random, g = np.random.default_rng(1), room.gaussians
    index = random.permutation(np.resize(np.arange(len(g.means)), max(wanted, len(g.means))))[
        :wanted
    ]
    means = g.means.numpy()[index] + random.normal(0, 0.01, (wanted, 3)).astype(np.float32)
    sh = ((room.rgb[index] - 0.5) / SH_C0).astype(np.float32)[:, None]
    smaller = replace(g, scales=g.scales * min(1.0, (len(g.means) / wanted) ** 0.5))
    logits = torch.logit(g.opacities).numpy()[index]
    return SplatArrays(
        means=means,
        quats=g.quats.numpy()[index],
        log_scales=smaller.scales.log().numpy()[index],
        opacity_logits=logits,
        sh=sh,
    )
