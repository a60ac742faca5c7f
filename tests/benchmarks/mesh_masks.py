"""How right masks are that were carried from some pictures to the others: of clips that have one
for every picture.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from backend.dynamic_mesh.footage.masks import find
from backend.formats.capture import IMAGES, Capture, Frame
from tests.benchmarks.mesh_real import MASKED
from tests.benchmarks.table import DATA, Row, Table

EVERY = (12, 25, 1000)  # pictures from one given mask to the next; the last: only the first has one


def run(table: Table, wanted: tuple[str, ...]) -> None:
    for name in MASKED:
        folder = DATA / "dynamic" / name
        if (not wanted or name in wanted) and folder.is_dir():
            for every in EVERY:
                mean, least = _carried(folder, every, table.scratch / f"{name}_some")
                what = f"one mask in {every}" if every < EVERY[-1] else "one mask"
                table.add(Row(name, f"carried masks' IoU, {what}", mean))
                table.add(Row(name, f"the worst of them, {what}", least))


def _carried(folder: Path, every: int, given: Path) -> tuple[float, float]:
    """Mean and least IoU of the masks that were not given."""
    paths = sorted(p for p in (folder / "JPEGImages").rglob("*") if p.suffix.lower() in IMAGES)
    truth = {
        p.stem: np.asarray(Image.open(p).convert("L")) > 0
        for p in (folder / "Annotations").rglob("*.png")
    }
    given.mkdir(parents=True, exist_ok=True)
    for old in given.glob("*.png"):
        old.unlink()
    for path in paths[::every]:
        Image.fromarray(truth[path.stem]).save(given / f"{path.stem}.png")
    images = [Image.open(p) for p in paths]
    frames = [
        Frame(
            image=p,
            camera_to_world=np.eye(4),
            fl_x=1.0,
            fl_y=1.0,
            cx=0.0,
            cy=0.0,
            width=i.width,
            height=i.height,
        )
        for p, i in zip(paths, images, strict=True)
    ]
    found = find(Capture(root=folder, frames=frames), given, images)
    seen = [a > 127 for a in found.alphas]
    scores = [
        float((s & truth[p.stem]).sum() / max(1, (s | truth[p.stem]).sum()))
        for k, (p, s) in enumerate(zip(paths, seen, strict=True))
        if k % every
    ]
    return float(np.mean(scores)), min(scores)
