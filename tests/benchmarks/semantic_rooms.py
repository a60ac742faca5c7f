"""Rooms as users have them: 30 of their pictures go through the product's own `cameras` (poses
known) and `splats`; six more, and exact masks of all, are for judging. Rooms and their trainings
stay in out/bench/semantic_rooms and are used again: what they depend on is in their room.json,
save for the code that trained, so remove a folder to train it anew.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from helpers import furnished_room, furniture_room, object_scenes
from helpers.furnished_room import CLASSES, Room
from helpers.furniture_room import Camera
from PIL import Image

from backend.formats import capture, splat_ply
from backend.gaussians.model import from_arrays
from backend.gaussians.options import Drawables
from backend.geometry.spherical_harmonics import SH_C0
from tests.benchmarks.runs import backend
from tests.benchmarks.semantic_truth import surface_owners
from tests.benchmarks.table import OUT

CAMERA = Camera((288, 216), 192.0, 3)  # 62,208 pixels: the preset `fast` trains on all of them
VIEWS, UNSEEN = 36, 6  # of which every sixth is kept from the product
TRAINING = ("--preset", "fast")
ROOMS = OUT / "semantic_rooms"


@dataclass(frozen=True)
class RoomFiles:
    """A room on disk."""

    folder: Path

    @property
    def capture(self) -> Path:
        return self.folder / "capture"

    @property
    def trained(self) -> Path:
        return self.folder / "splats" / "splats.ply"

    @property
    def ideal(self) -> Path:
        return self.folder / "ideal.ply"

    @property
    def regions(self) -> Path:
        """Exact label pictures, named like the capture's."""
        return self.folder / "regions"

    @property
    def masks(self) -> Path:
        """Exact label pictures of all views, by number."""
        return self.folder / "masks"


def files(seed: int, kind: str = "") -> RoomFiles:
    """The room of a seed, made and trained where it is not there; RuntimeError where the product
    fails at it. `kind`: "short", filmed in a step to the side, or one of object_scenes'.
    """
    record = {
        "seed": seed,
        "size": list(CAMERA.size),
        "focal": CAMERA.focal,
        "samples": CAMERA.samples,
        "views": VIEWS,
        "training": list(TRAINING),
    }
    if kind:
        record["path" if kind == "short" else "kind"] = kind
    found = RoomFiles(ROOMS / f"room{seed}{f'-{kind}' if kind else ''}")
    path = found.folder / "room.json"
    if not path.is_file() or json.loads(path.read_text(encoding="utf-8")) != record:
        shutil.rmtree(found.folder, ignore_errors=True)
        _make(seed, found, kind)
        path.write_text(json.dumps(record), encoding="utf-8")
    return found


def unseen() -> list[int]:
    """The views that nothing of the product ever gets."""
    return list(range(UNSEEN - 1, VIEWS, UNSEEN))


def make(seed: int, kind: str) -> Room:
    """What is filmed in `files`."""
    if kind in object_scenes.KINDS:
        return object_scenes.make(seed, kind, VIEWS, CAMERA)
    path = furnished_room.short_path if kind else furnished_room.cameras
    return furniture_room.make(seed, views=VIEWS, camera=CAMERA, path=path)


def _make(seed: int, found: RoomFiles, kind: str) -> None:
    room = make(seed, kind)
    seen = [i for i in range(VIEWS) if i not in unseen()]
    furnished_room.write_capture(room, range(VIEWS), found.folder / "all")
    furnished_room.write_capture(room, seen, found.folder / "footage")
    furnished_room.write_masks(room, range(VIEWS), found.masks)
    furnished_room.write_splats(room, found.ideal)
    names = [CLASSES[c] for c in room.classes]
    (found.folder / "objects.json").write_text(json.dumps(names), encoding="utf-8")
    _run("cameras", found.folder / "footage", found.capture)
    _run("splats", found.capture, found.trained.parent)
    found.regions.mkdir()
    for frame in capture.read(found.capture).frames:
        source = Path(frame.source or frame.image.name)
        shutil.copy(found.masks / source.name, found.regions / f"{frame.image.stem}.png")
    gaussians, _ = drawables(found.trained)
    trained = surface_owners(gaussians, room.views, room.owners)
    np.savez_compressed(
        found.folder / "truth.npz", ideal=room.objects, trained=trained, classes=room.classes
    )


def _run(verb: str, source: Path, output: Path) -> None:
    done = backend(verb, source, output, *TRAINING)
    if isinstance(done, str):
        raise RuntimeError(f"{verb} failed at {source}: {done}")


def load(found: RoomFiles, trained: bool) -> Room:
    """The room with the splats that the product has trained, or with ideal ones."""
    truth = np.load(found.folder / "truth.npz")
    frames = capture.read(found.folder / "all").frames
    poses = [f.camera_to_world for f in frames]
    images = [np.asarray(Image.open(f.image)) for f in frames]
    owners = [np.asarray(Image.open(found.masks / f.image.name)).astype(int) - 1 for f in frames]
    views = furnished_room.raster_views(poses, CAMERA.focal, CAMERA.size)
    gaussians, rgb = drawables(found.trained if trained else found.ideal)
    objects = truth["trained" if trained else "ideal"]
    return Room(truth["classes"], images, owners, views, gaussians, rgb, objects)


def drawables(path: Path) -> tuple[Drawables, np.ndarray]:
    """Splats of a PLY with their base colours, and these (N, 3)."""
    arrays = splat_ply.read(path)
    model = from_arrays(arrays, "cpu")
    rgb = (0.5 + SH_C0 * arrays.sh[:, 0]).clip(0, 1).astype(np.float32)
    gaussians = Drawables(
        means=model.means.detach(),
        quats=model.quats.detach(),
        scales=model.scales.detach(),
        opacities=model.opacities.detach(),
        colors=torch.from_numpy(rgb),
    )
    return gaussians, rgb
