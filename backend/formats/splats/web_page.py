"""A web page with splats in it, and all that shows them: one file, opened from a disk, that asks
the network for nothing. The viewer is PlayCanvas' (MIT), as it is published; see viewer/.
"""

import base64
import gzip
import html
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...geometry.arrays import Doubles
from ...protocol import InputError
from ..splat_arrays import SplatArrays
from ..splat_moves import moved
from ..splat_notes import SplatNotes
from . import sog_writer
from .axes import placed
from .page_cameras import CameraPath, camera_settings, rolled
from .webp import PILLOW, WebP

SUFFIX = ".html"
TITLE = "a web page"
VIEWER = Path(__file__).with_name("viewer")
TO_VIEWER: Doubles = np.diag([-1.0, -1.0, 1.0, 1.0])  # the viewer turns every file by this first
# that nothing is fetched, whatever the page's address says
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "style-src 'unsafe-inline'; img-src data: blob:; connect-src data: blob:; "
    "worker-src blob: data:; base-uri 'none'; form-action 'none'"
)
EFFECTS = {
    "sharpness": {"enabled": False, "amount": 0},
    "bloom": {"enabled": False, "intensity": 0.1, "blurLevel": 2},
    "grading": {"enabled": False, "brightness": 1, "contrast": 1, "saturation": 1,
                "tint": [1, 1, 1]},
    "vignette": {"enabled": False, "intensity": 0.5, "inner": 0.3, "outer": 0.75, "curvature": 1},
    "fringing": {"enabled": False, "intensity": 0.5},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page is beside its splats."""

    title: str
    cameras: CameraPath | None = None  # None: a view of all
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)  # sRGB, 0..1


def write(path: Path, a: SplatArrays, page: Page, webp: WebP = PILLOW) -> tuple[str, ...]:
    """Writes the page; what of the splats and the cameras it does not hold, in words.

    Raises InputError for no splats.
    """
    if not len(a):
        raise InputError("There are no splats to write.", "Choose some.")
    to_page = placed(a)
    settings = {
        "version": 2,
        "tonemapping": "none",
        "highPrecisionRendering": True,
        "background": {"color": list(page.background)},
        "postEffectSettings": EFFECTS,
        "annotations": [],
        **camera_settings(a, page.cameras, to_page),
    }
    content = base64.b64encode(_sog(a, TO_VIEWER @ to_page, webp)).decode("ascii")
    bootstrap = {
        "contentUrl": f"data:application/octet-stream;base64,{content}",
        "contentFilename": "scene.sog",
        "settings": settings,
    }
    choices = _choices(still=not settings["animTracks"], antialiased=a.notes.antialiased)
    path.write_text(_document(page.title, bootstrap, choices), encoding="utf-8", newline="\n")
    return _lost(a, page.cameras, to_page)


def _lost(a: SplatArrays, cameras: CameraPath | None, to_page: Doubles) -> tuple[str, ...]:
    lost = [f"the properties {', '.join(a.extra)}"] if a.extra else []
    if a.notes.blend == "linear":
        lost.append("that they blend in linear light")
    if cameras is not None:
        lost += cameras.told
        if count := rolled(cameras, to_page):
            lost.append(f"the roll of {count} of {len(cameras.fovs)} cameras: it stays level")
    return tuple(lost)


def _sog(a: SplatArrays, to_viewer: Doubles, webp: WebP) -> bytes:
    """The splats, moved, without what the viewer has no use for."""
    bare = replace(a, extra={}, notes=SplatNotes(antialiased=a.notes.antialiased))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scene.sog"
        # no name for what was moved, so that the writer can let go of it
        sog_writer.write(file, moved(bare, to_viewer), webp)
        return file.read_bytes()


def _choices(*, still: bool, antialiased: bool) -> str:
    """What the viewer is told otherwise than in its settings: without a path it would start to go
    round by itself; splats trained with the filter of Mip-Splatting are drawn with it, which only
    one of its two renderers knows.
    """
    chosen: dict[str, Any] = {"noanim": True} if still else {}
    if antialiased:
        chosen |= {"aa": True, "renderer": "webgl"}
    return f"Object.assign(window.sse.options, {json.dumps(chosen)});" if chosen else ""


def _document(title: str, bootstrap: dict[str, Any], choices: str) -> str:
    """The viewer's own page, its seams filled as its `renderViewerHtml` does. What users wrote
    comes last, so that none of it is taken for a seam.
    """
    text = (VIEWER / "index.html").read_text(encoding="utf-8")
    css = (VIEWER / "index.css").read_text(encoding="utf-8")
    script = gzip.decompress((VIEWER / "index.js.gz").read_bytes()).decode("utf-8")
    script = script.rsplit("\n//# sourceMappingURL=", 1)[0]
    licence = (VIEWER / "LICENSE").read_text(encoding="utf-8")
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}" />'
    data = json.dumps(bootstrap, allow_nan=False).replace("<", "\\u003c")
    start = text.index('<script type="application/json" id="sse-bootstrap">')
    end = text.index("</script>", start)
    block = f'<script type="application/json" id="sse-bootstrap">{data}'
    seams = (
        ("<!doctype html>", f"<!doctype html>\n<!--\nSuperSplat Viewer\n\n{licence}-->"),
        ('<meta charset="UTF-8" />', f'<meta charset="UTF-8" />\n        {head}'),
        ('<base href="" />', ""),
        ('<link rel="stylesheet" href="./index.css" />', f"<style>\n{css}</style>"),
        ("import { createViewer } from './index.js';", f"{choices}\n{script}"),
        (text[start:end], block),
        ("<title>SuperSplat Viewer</title>", f"<title>{html.escape(title)}</title>"),
    )
    return _filled(text, seams)


def _filled(text: str, seams: tuple[tuple[str, str], ...]) -> str:
    """The text with each seam replaced once; they are found before anything is put in."""
    places = sorted((text.index(seam), seam, filling) for seam, filling in seams)
    parts, done = [], 0
    for place, seam, filling in places:
        parts += [text[done:place], filling]
        done = place + len(seam)
    return "".join([*parts, text[done:]])
