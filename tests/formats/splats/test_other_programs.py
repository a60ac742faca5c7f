"""Others read what we write, and we what they write: splat-transform, Khronos' glTF validator,
gaussforge, OpenUSD's own validation. Skipped where they are absent.

`npm install @playcanvas/splat-transform gltf-validator` in any folder; NODE_PROGRAMS names it.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from helpers.splat_renders import pictures, psnr, scene

from backend.formats import splat_ply
from backend.formats.splats import files
from backend.formats.splats.files import BY_NAME, Tools

PROGRAMS = Path(os.environ.get("NODE_PROGRAMS", ".")) / "node_modules"
TRANSFORM = PROGRAMS / "@playcanvas/splat-transform/bin/cli.mjs"
VALIDATOR = PROGRAMS / "gltf-validator"
NODE = shutil.which("node")
VALIDATE = """
const fs = require('fs'), validator = require(process.argv[1]);
const bytes = new Uint8Array(fs.readFileSync(process.argv[2]));
validator.validateBytes(bytes, {maxIssues: 0}).then(r => console.log(JSON.stringify(r.issues)));
"""
needs_transform = pytest.mark.skipif(
    NODE is None or not TRANSFORM.is_file(), reason="needs node and splat-transform"
)


def transform(source: Path, target: Path) -> None:
    assert NODE
    command = [NODE, str(TRANSFORM), "-q", "-w", "-g", "cpu", str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_transform
@pytest.mark.process
@pytest.mark.parametrize("degree", [0, 2, 3])
@pytest.mark.parametrize(
    ("name", "true_to"),
    [
        ("a.ply", 100), ("a.compressed.ply", 80), ("a.spz", 80), ("4.spz", 80),
        ("a.sog", 80), ("meta.json", 80), ("a.splat", 45), ("a.ksplat", 80),
    ],
)  # fmt: skip
def test_they_read_what_we_write(name: str, true_to: float, degree: int, tmp_path: Path) -> None:
    """As we read it ourselves, but for how bytes of a .splat stand for turns."""
    path = tmp_path / name
    tools = Tools(spz_version=4 if name[0] == "4" else 3)
    files.write(path, scene(800, degree), files.format_of(path), tools)
    transform(path, tmp_path / "back.ply")
    ours, theirs = files.read(path), splat_ply.read(tmp_path / "back.ply")
    assert len(ours) == len(theirs) == 800 and ours.sh_degree == theirs.sh_degree
    assert psnr(pictures(ours), pictures(theirs)) > true_to


@needs_transform
@pytest.mark.process
@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("name", ["a.compressed.ply", "a.spz", "a.sog", "meta.json", "a.glb"])
def test_we_read_what_they_write(name: str, degree: int, tmp_path: Path) -> None:
    a = scene(800, degree)
    splat_ply.write(tmp_path / "source.ply", a)
    transform(tmp_path / "source.ply", tmp_path / name)
    b = files.read(tmp_path / name)
    assert len(b) == 800 and b.sh_degree == degree
    if name == "a.glb":  # they turn half around another axis, so that the splats face away
        b.means[:, [0, 2]] *= -1
        np.testing.assert_allclose(b.means, a.means, atol=1e-4)
    else:
        assert psnr(pictures(a), pictures(b)) > 30


@pytest.mark.skipif(NODE is None or not VALIDATOR.is_dir(), reason="needs node and gltf-validator")
@pytest.mark.process
@pytest.mark.parametrize("degree", [0, 3])
def test_khronos_finds_no_fault(degree: int, tmp_path: Path) -> None:
    """The validator of 2024 does not know the extension, and calls its attributes invalid names."""
    assert NODE
    a = scene(100, degree)
    a.extra["object_id"] = np.arange(100, dtype=np.int32)
    files.write(tmp_path / "a.glb", a, BY_NAME["gltf"])
    command = [NODE, "-e", VALIDATE, str(VALIDATOR.resolve()), str(tmp_path / "a.glb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    known = ("MESH_PRIMITIVE_INVALID_ATTRIBUTE", "/KHR_gaussian_splatting:")
    faults = [
        issue
        for issue in json.loads(done.stdout)["messages"]
        if issue["severity"] < 2
        and not (issue["code"] == known[0] and known[1] in issue.get("pointer", ""))
    ]
    assert not faults


@pytest.mark.parametrize("suffix", [".usdc", ".usda"])
def test_openusd_finds_no_fault(suffix: str, tmp_path: Path) -> None:
    from pxr import Usd, UsdValidation

    a = scene(100, 3)
    a.extra["object_id"] = np.arange(100, dtype=np.int32)
    files.write(tmp_path / f"a{suffix}", a, BY_NAME["usd"])
    stage = Usd.Stage.Open(str(tmp_path / f"a{suffix}"))
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    assert len(validators) > 10 and not [e.GetMessage() for e in errors]
    prim = stage.GetPrimAtPath("/Splats")
    assert prim.IsA("ParticleField3DGaussianSplat") and prim.HasAPI("ParticleFieldPositionBaseAPI")


@pytest.mark.parametrize("name", ["a.compressed.ply", "a.splat", "a.ply"])
def test_gaussforge_reads_what_we_write(name: str, tmp_path: Path) -> None:
    """But for SPZ, whose axes it takes for those of PLY files, unlike Niantic's own library."""
    gaussforge = pytest.importorskip("gaussforge")
    path = tmp_path / name
    files.write(path, scene(300, 3), files.format_of(path))
    model = gaussforge.GaussForge()
    ending = {"a.compressed.ply": "compressed.ply"}.get(name, path.suffix[1:])
    back = model.convert(path.read_bytes(), ending, "ply")
    (tmp_path / "back.ply").write_bytes(back["data"])
    ours, theirs = files.read(path), splat_ply.read(tmp_path / "back.ply")
    assert psnr(pictures(ours), pictures(theirs)) > 40
