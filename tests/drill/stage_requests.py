"""Small jobs of the verbs that take long, to be killed: each makes its input in a folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from helpers import clips, turning_blob

from backend.cameras.cameras_verb import CamerasOptions
from backend.dynamic_mesh.bones_verb import BonesOptions
from backend.dynamic_mesh.mesh_verb import MeshOptions
from backend.dynamic_mesh.register_verb import RegisterOptions
from backend.formats import mesh_frames
from backend.formats.mesh_frames import MeshFrame, MeshFrames
from backend.protocol import Request
from backend.semantics.rendering.render_verb import RenderOptions
from backend.semantics.segment_verb import SegmentOptions
from backend.splats.splats_verb import SplatsOptions
from backend.talking_head.face_verb import FaceOptions
from backend.talking_head.speech_verb import SpeechOptions
from backend.talking_head.talk_verb import TalkOptions

from . import same_bytes_inputs as inputs
from .same_bytes_cases import TRACKER
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


def footage(folder: Path, solver: Any = "auto") -> Request[Any]:
    """Cameras of a video that goes around a room's corner."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs.walk(folder)
    return _request("cameras", folder / "walk.mp4", CamerasOptions(solver=solver))


def face(folder: Path) -> Request[Any]:
    """A face of half a second."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs.glance(folder)
    options = FaceOptions(tracker=str(TRACKER), gaussians=0, teach=False)
    return _request("face", folder / "face.mp4", options)


def speech(folder: Path) -> Request[Any]:
    """A sentence."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs.line(folder)
    return _request("speech", folder / "line.wav", SpeechOptions())


def talk(folder: Path, motion: Path) -> Request[Any]:
    """A head that says what `motion` holds."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs.bust(folder)
    return _request("talk", folder, TalkOptions(motion=str(motion), background="plain", size=192))


def bones(folder: Path) -> Request[Any]:
    """Bones of the mesh that `mesh` has left in `folder`."""
    return _request("bones", folder / "mesh.npz", BonesOptions(bones=12))


def register(folder: Path) -> Request[Any]:
    """A ball that bends, of another topology each time."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
    for number in range(8):
        points, faces = turning_blob.ball(16 + number % 2, 24)
        frames.append(
            MeshFrame(
                turning_blob.bent(points, 0.05 * number).astype(np.float32),
                faces.astype(np.int32),
                turning_blob.paint(points).astype(np.float32),
                np.arange(len(points), dtype=np.int32),
            )
        )
    first = frames[0]
    mesh_frames.write(
        folder / "mesh_frames.npz",
        MeshFrames(
            frames=frames,
            seconds=np.arange(len(frames)) / 24,
            canonical=first.vertices,
            canonical_faces=first.faces,
            canonical_tracks=np.repeat(first.vertices[None], len(frames), 0),
        ),
    )
    return _request("register", folder / "mesh_frames.npz", RegisterOptions(faces=800))


def every(folder: Path) -> Iterator[tuple[str, Request[Any]]]:
    """A small job of each verb that computes, beside the training, with a name; those that take
    what others leave find it where `signal_kills` runs the others: in jobs/NAME/whole.
    """
    train(folder)
    yield "segment", segment(folder)
    yield "render", render(folder)
    yield "mesh", mesh(folder)
    yield "bones", bones(folder / "jobs/mesh/whole/result")
    yield "register", register(folder / "register")
    yield "cameras, given", known_cameras(folder)
    yield "cameras", footage(folder / "footage")
    yield "cameras, COLMAP", footage(folder / "footage", "incremental")
    yield "speech", speech(folder / "speech")
    yield "talk", talk(folder / "bust", folder / "jobs/speech/whole/result/motion.npz")
    if TRACKER.is_dir():
        yield "face", face(folder / "face")
