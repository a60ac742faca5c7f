"""The CPU rasteriser: gradient error against dense float64, CPU milliseconds a step, ratio to the
pure-torch path.
"""

import dataclasses
import statistics
import time

import numpy as np
import torch
from scipy.spatial import KDTree

from backend.gaussians import kernels, torch_reference
from backend.gaussians.options import Drawables, RasterOptions, RasterView
from backend.runtime.device import core_count
from backend.runtime.measure import peak_megabytes
from tests.benchmarks.table import Row, Table, has

FIELDS = [f.name for f in dataclasses.fields(Drawables)]
SIZES = {"256x256, 10k": (256, 256, 10_000, 30), "540x960, 100k": (540, 960, 100_000, 6)}


def cloud(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points, colours, camera: the real garden where the data is, else a ball of points around the
    view axis.
    """
    folder = has("static/garden_npz")
    if folder is not None:
        data = np.load(folder / "test_garden.npz")
        points, colors = data["means3d"], data["colors"]
        return (
            points.astype(np.float32),
            colors.astype(np.float32) / 255,
            data["viewmats"][0],
            data["Ks"][0],
        )
    g = np.random.default_rng(0)
    return (
        g.normal(0, 1, (count, 3)).astype(np.float32),
        g.random((count, 3), np.float32),
        np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1.0]]),
        np.array([[500.0, 0, 270], [0, 500, 480], [0, 0, 1]]),
    )


def scene(width: int, height: int, count: int) -> tuple[Drawables, RasterView]:
    """`count` Gaussians as wide as their neighbours are far, random opacities, degree 3."""
    g = np.random.default_rng(0)
    points, colors, viewmat, K = cloud(count)
    chosen = g.permutation(len(points))[:count]
    points, colors = points[chosen], colors[chosen]
    distance = np.sqrt((KDTree(points).query(points, 4)[0][:, 1:] ** 2).mean(1)).clip(1e-4, 0.3)
    sh = g.standard_normal((len(points), 16, 3)) * 0.02
    sh[:, 0] = (colors - 0.5) / 0.28209
    scales = distance[:, None] * np.exp(g.standard_normal((len(points), 3)) * 0.3)
    arrays = (
        points,
        g.standard_normal((len(points), 4)),
        scales,
        g.beta(1.2, 1.2, len(points)).clip(0.01, 0.99),
        sh,
    )
    K = K.copy()
    K[:2] *= max(width / (2 * K[0, 2]), height / (2 * K[1, 2]))
    K[0, 2], K[1, 2] = width / 2, height / 2
    tensors = [torch.tensor(a, dtype=torch.float32) for a in (*arrays, viewmat, K)]
    return Drawables(**dict(zip(FIELDS, tensors[:5], strict=True))), RasterView(
        viewmat=tensors[5],
        K=tensors[6],
        width=width,
        height=height,
        sh_degree=3,
        background=torch.zeros(3),
    )


def milliseconds(draw, gaussians: Drawables, repeats: int) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Median CPU and wall milliseconds of a forward and backward pass."""
    leaves = [t.clone().requires_grad_(True) for t in gaussians.tensors()]
    cpu, wall = [], []
    weight = None
    for repeat in range(repeats + 1):
        c, w = time.process_time(), time.perf_counter()
        image = draw(Drawables(**dict(zip(FIELDS, leaves, strict=True))))
        weight = (
            torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
            if weight is None
            else weight
        )
        (image * weight).sum().backward()
        if repeat:
            cpu.append((time.process_time() - c) * 1e3)
            wall.append((time.perf_counter() - w) * 1e3)
    return statistics.median(cpu), statistics.median(wall)


def gradient_errors(native: kernels.Kernels, table: Table) -> None:
    from helpers.dense_reference import rasterize_dense
    from helpers.scenes import NAMES, make_scene

    drawn = make_scene(70, 53, 3000, 3)
    grads = []
    for dtype, draw in (
        (torch.float64, rasterize_dense),
        (torch.float32, lambda g, v, o: kernels.rasterize_view(native, g, v, True, o)),
    ):
        leaves = drawn.leaves(dtype)
        view = RasterView(
            viewmat=leaves["viewmat"],
            K=drawn.K.to(dtype),
            width=70,
            height=53,
            sh_degree=3,
            background=drawn.background.to(dtype),
        )
        image, alpha = draw(Drawables(**{n: leaves[n] for n in NAMES[:5]}), view, RasterOptions())[
            :2
        ]
        weights = torch.Generator().manual_seed(7)
        loss = (image * torch.randn(image.shape, generator=weights).to(dtype)).sum()
        (loss + (alpha * torch.randn(alpha.shape, generator=weights).to(dtype)).sum()).backward()
        grads.append({n: leaves[n].grad.double() for n in NAMES})
    for name in NAMES:
        error = float((grads[0][name] - grads[1][name]).norm() / grads[0][name].norm())
        table.add(Row("70x53, 3000, degree 3", f"gradient error by {name}", error, "rel"))


def run(table: Table) -> None:
    native = kernels.Kernels.load()
    if native is None:
        table.add(Row("kernels", "not available here", 0))
        return
    gradient_errors(native, table)
    options = RasterOptions()
    for name, (width, height, count, repeats) in SIZES.items():
        gaussians, view = scene(width, height, count)
        native.set_threads(core_count())
        cpu, wall = milliseconds(
            lambda g, v=view: kernels.rasterize_view(native, g, v, False, options)[0],
            gaussians,
            repeats,
        )
        table.add(
            Row(
                name,
                f"step, CPU ({native.library.variant})",
                cpu,
                "ms",
                0,
                cpu * repeats / 1e3,
                peak_megabytes(),
            )
        )
        table.add(Row(name, f"step, wall on {core_count()} cores", wall, "ms"))
        slow, _ = milliseconds(
            lambda g, v=view: torch_reference.rasterize_view(g, v, options)[0][..., :3],
            gaussians,
            1,
        )
        table.add(Row(name, "step, pure torch, CPU", slow, "ms", 0, slow / 1e3, peak_megabytes()))
        table.add(Row(name, "pure torch / kernels", slow / cpu, "x"))
