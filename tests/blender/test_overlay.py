"""The viewport's shader without a screen, against the backend's rasteriser."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import COMPUTE, ROOT

W, H, F, NEAR, FAR = 160, 96, 120.0, 0.05, 100.0


def start_gpu(bpy: Any) -> Any:
    """A drawing context without a window; before 5.0 only a render starts one."""
    import gpu

    try:
        if hasattr(gpu, "init"):
            gpu.init()
        else:
            scene = bpy.context.scene
            scene.camera = bpy.data.objects.new("C", bpy.data.cameras.new("C"))
            scene.collection.objects.link(scene.camera)
            scene.render.engine, scene.render.resolution_x, scene.render.resolution_y = (
                "BLENDER_WORKBENCH",
                16,
                16,
            )
            bpy.ops.render.render()
        gpu.types.GPUOffScreen(8, 8)  # type: ignore[call-arg]
    except (SystemError, RuntimeError) as error:
        pytest.skip(f"no OpenGL on this machine: {error}")
    return gpu


def backend_image(ply: Path, pose: np.ndarray, folder: Path) -> np.ndarray:
    frame = {
        "file_path": "a.png",
        "transform_matrix": pose.tolist(),
        "fl_x": F,
        "cx": W / 2,
        "cy": H / 2,
        "w": W,
        "h": H,
    }
    (folder / "transforms.json").write_text(json.dumps({"frames": [frame]}))
    command = [
        str(COMPUTE),
        "-m",
        "backend",
        "render",
        "--input",
        str(ply),
        "--capture",
        str(folder),
        "--output",
        str(folder / "out"),
    ]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    code = (
        "import sys, numpy; from PIL import Image; numpy.save(sys.argv[2], "
        "numpy.asarray(Image.open(sys.argv[1])))"
    )
    subprocess.run(
        [str(COMPUTE), "-c", code, str(folder / "out" / "0001.png"), str(folder / "out.npy")],
        check=True,
    )
    return np.load(folder / "out.npy") / 255.0


def test_overlay_matches_the_rasteriser(
    bpy: Any, splat_file: Path, tmp_path: Path, rooms: Any
) -> None:
    gpu = start_gpu(bpy)
    from mathutils import Matrix

    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = rooms("scene.splats.splats").chosen(bpy.context)
    pose = np.array(Matrix.Rotation(0.4, 4, "Y") @ Matrix.Translation((0.1, 0.2, 4.0)))
    turned = np.array(cloud.matrix_world.inverted() @ Matrix(pose.tolist()))
    projection = Matrix(
        [
            [2 * F / W, 0, 0, 0],
            [0, 2 * F / H, 0, 0],
            [0, 0, -(FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)],
            [0, 0, -1, 0],
        ]
    )
    screen = gpu.types.GPUOffScreen(W, H, format="RGBA32F")
    with screen.bind():
        target = gpu.state.active_framebuffer_get()
        target.clear(color=(0, 0, 0, 1), depth=1.0)
        rooms("scene.viewport.splat_overlay").draw_all(
            [cloud], Matrix(pose.tolist()).inverted(), projection
        )
        with target.bind():
            raw = target.read_color(0, 0, W, H, 4, 0, "FLOAT")
    raw.dimensions = W * H * 4
    shown = np.array(raw, np.float32).reshape(H, W, 4)[::-1, :, :3]
    expected = backend_image(splat_file, turned, tmp_path)
    color, alpha = expected[..., :3], expected[..., 3:]
    linear = np.where(color < 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4) * alpha
    assert linear.mean() > 0.02
    error = np.abs(shown - linear)
    assert 10 * np.log10(1 / (error**2).mean()) > 45, (
        f"mean {error.mean():.4f}, worst {error.max():.3f}"
    )
