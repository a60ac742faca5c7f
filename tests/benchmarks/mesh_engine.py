"""What others make of a baked glTF: Khronos' validator, and three.js in a headless Chromium
(Debian's chromium-headless-shell), which plays it, draws two frames, and says where the vertices
are.
"""

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from html import unescape
from pathlib import Path

import numpy as np
import trimesh
from scipy.spatial import KDTree

from backend.formats import mesh_sequence
from backend.formats.mesh_sequence import MeshSequence
from tests.benchmarks.table import OUT, Row, Table, say

PACKAGES = ("three@0.180.0", "gltf-validator@2.0.0-dev.3.10")
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PAGE = Path(__file__).with_name("three_page.html")
VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs')
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))
  .then(r => console.log(JSON.stringify(r.issues)))
"""


def run(table: Table, baked: Path, source: Path) -> None:
    """Of the skinned glTF in `baked`, against the sequence that it was baked from."""
    folder, file = OUT / "engine", baked / "skin_glb.glb"
    if not _ready(folder):
        return
    case, sequence = (
        file.parent.name.removesuffix("_baked") + " skin_glb",
        mesh_sequence.read(source),
    )
    loaded = trimesh.load(file, force="mesh")
    table.add(Row(case, "triangles that trimesh reads", float(len(loaded.faces))))
    issues = json.loads(
        subprocess.run(
            ["node", "-e", VALIDATE, str(file)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    table.add(Row(case, "errors of Khronos' validator", float(issues["numErrors"])))
    table.add(Row(case, "warnings of Khronos' validator", float(issues["numWarnings"])))
    browser = next((shutil.which(name) for name in BROWSERS if shutil.which(name)), None)
    if browser is None:
        say(f"{case:<28} no Chromium here: three.js is left out")
        return
    shutil.copy(file, folder / "baked.glb")
    shutil.copy(PAGE, folder / "page.html")
    views = [0, len(sequence.seconds) // 2]
    times = [float(sequence.seconds[k] - sequence.seconds[0]) for k in views]
    found = _played(browser, folder, times, table.scratch / "three.png")
    table.add(Row(case, "three.js: largest error, of the box", _error(found, sequence, views)))


def _ready(folder: Path) -> bool:
    """The packages from npm are there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not shutil.which("npm"):
        say("no npm here: no engine reads the files")
        return False
    if not (folder / "node_modules" / "three").is_dir():
        subprocess.run(
            ["npm", "install", "--silent", "--no-save", "--prefix", str(folder), *PACKAGES],
            check=True,
            capture_output=True,
        )
    return True


def _played(browser: str, folder: Path, times: list[float], image: Path) -> list[np.ndarray]:
    """(V, 3) at each time, in Blender's axes, as three.js skins them; leaves the picture."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    query = f"file=baked.glb&times={','.join(map(str, times))}"
    address = f"http://127.0.0.1:{server.server_port}/page.html?{query}"
    flags = [
        "--no-sandbox",
        "--disable-gpu-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--virtual-time-budget=600000",
        f"--window-size={400 * len(times)},400",
        f"--screenshot={image}",
        "--dump-dom",
        address,
    ]
    try:
        done = subprocess.run(
            [browser, *flags], capture_output=True, text=True, timeout=180, check=True
        )
    finally:
        server.shutdown()
    text = re.search(r'<pre id="out"[^>]*>(.*?)</pre>', done.stdout, re.S)
    answer = json.loads(
        unescape(text.group(1))
        if text and text.group(1)
        else '{"error": "the page did not finish"}'
    )
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return [np.array(f).reshape(-1, 3)[:, [0, 2, 1]] * [1, -1, 1] for f in answer["frames"]]


def _error(found: list[np.ndarray], sequence: MeshSequence, views: list[int]) -> float:
    """Of the box; corners that the file has split are tied to their vertex by where they are in the
    first frame.
    """
    partner = KDTree(sequence.positions[views[0]]).query(found[0])[1]
    worst = max(
        float(np.linalg.norm(f - sequence.positions[k][partner], axis=1).max())
        for f, k in zip(found, views, strict=True)
    )
    return worst / float(np.ptp(sequence.positions, axis=(0, 1)).max())
