"""Small jobs of the verbs that take long, to be killed: each makes its input in a folder."""

from pathlib import Path
from typing import Any

from helpers import clips, turning_blob

from backend.cameras.cameras_verb import CamerasOptions
from backend.dynamic_mesh.mesh_verb import MeshOptions
from backend.protocol import Request
from backend.semantics.rendering.render_verb import RenderOptions
from backend.semantics.segment_verb import SegmentOptions
from backend.splats.splats_verb import SplatsOptions

from .stage_kills import run_here


def _request(verb: str, source: Path, options: Any) -> Request[Any]:
    return Request(verb=verb, input=str(source), options=options, preset="fast", device="cpu")


def train(folder: Path) -> None:
    """A capture in `folder` and, in `job/result`, splats of it: what others take."""
    clips.write_capture(folder / "capture", 8, (64, 48))
    run_here(splats(folder, 100), folder / "job")


def splats(folder: Path, steps: int) -> Request[Any]:
    """A training on the capture of `train`."""
    return _request("splats", folder / "capture", SplatsOptions(steps=steps, max_splats=800))


def segment(folder: Path) -> Request[Any]:
    """Objects on the splats of `train`."""
    options = SegmentOptions(capture=str(folder / "capture"), views=6)
    return _request("segment", folder / "job/result/splats.ply", options)


def render(folder: Path) -> Request[Any]:
    """Pictures and a video of the splats of `train`."""
    options = RenderOptions(capture=str(folder / "capture"), video=12.0)
    return _request("render", folder / "job/result/splats.ply", options)


def mesh(folder: Path) -> Request[Any]:
    """Meshes of a blob that turns."""
    turning_blob.write(folder / "clip", frames=6, size=40)
    return _request("mesh", folder / "clip", MeshOptions(steps=20, faces=400))


def known_cameras(folder: Path) -> Request[Any]:
    """Points and depth for cameras that are given."""
    clips.write_capture(folder / "given", 6, (160, 120))
    return _request("cameras", folder / "given", CamerasOptions())
