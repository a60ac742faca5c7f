"""Answers clicks: the first at a view renders it and lets the network look, the next take a part of
a second.

Bounded: one SAM, one scene, a few views.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..formats.click_lines import Click, Clicked
from ..formats.splat_notes import SplatNotes
from ..formats.splats import files
from ..gaussians.options import RasterView, options_for
from ..geometry.arrays import Flags
from ..networks.onnx_model import for_networks
from ..networks.sam import SamNetwork, SeenPicture, load_sam
from ..protocol import Device, InputError, SplatsmithError
from ..runtime import atomic
from ..runtime.device import choose_device
from ..runtime.explain import explain
from .click import ClickScene, meant, scene_of
from .novel_views import render_image
from .regions.sam import Level, at_click

MOST_VIEWS = 8
NOTHING = InputError(
    "There are no splats at that place.", "Click on something, or come closer to it."
)


@dataclass(frozen=True)
class _Loaded:
    scene: ClickScene
    notes: SplatNotes


class ClickService:
    """What it has loaded, and how it answers."""

    def __init__(self, load: Callable[[Path, str], SamNetwork] = load_sam) -> None:
        self._load = load
        self._network: tuple[tuple[str, str], SamNetwork] | None = None
        self._scene: tuple[tuple[str, int, str], _Loaded] | None = None
        self._seen: OrderedDict[tuple[Any, ...], SeenPicture] = OrderedDict()

    def answer(self, click: Click) -> Clicked:
        """Never raises for a bad click: the answer says what is wrong."""
        try:
            chosen = self._chosen(click)
            if not chosen.any():
                raise NOTHING
            atomic.write_bytes(Path(click.result), chosen.astype(np.uint8).tobytes())
        except Exception as error:  # noqa: BLE001 - the process's boundary, as a job's is
            known = explain(error)
            is_unforeseen = known.code == SplatsmithError.code
            advice = "Try another view." if is_unforeseen else known.advice
            return Clicked(id=click.id, error=known.what, advice=advice)
        return Clicked(id=click.id, count=int(chosen.sum()))

    def _chosen(self, click: Click) -> Flags:
        wish: Device = click.device  # type: ignore[assignment]  # checked where it was decoded
        device, _ = choose_device(wish)
        network = self._model(click.sam, for_networks(wish, device))
        key, loaded = self._splats(Path(click.splats), device)
        view = view_of(click, device)
        seen = self._look(network, loaded, view, (*key, click.sam, str(click.viewmat),
                          str(click.lens), str(click.size)))  # fmt: skip
        level: Level = click.level  # type: ignore[assignment]
        points, labels = (np.array(v, np.float32) for v in (click.points, click.labels))
        return meant(loaded.scene, view, at_click(network, seen, points, labels, level))

    def _model(self, folder: str, device: str) -> SamNetwork:
        if self._network is None or self._network[0] != (folder, device):
            self._network = None  # the old one goes before the new one comes
            self._network = ((folder, device), self._load(Path(folder), device))
        return self._network[1]

    def _splats(self, path: Path, device: str) -> tuple[tuple[str, int, str], _Loaded]:
        if not path.is_file():
            raise InputError(f"There is no file {path}.", "Click once more.")
        key = (str(path), path.stat().st_mtime_ns, device)
        if self._scene is None or self._scene[0] != key:
            self._scene = None
            self._seen.clear()
            arrays = files.read(path)
            self._scene = (key, _Loaded(scene_of(arrays, device), arrays.notes))
        return self._scene

    def _look(
        self, network: SamNetwork, loaded: _Loaded, view: RasterView, key: tuple[Any, ...]
    ) -> SeenPicture:
        if key not in self._seen:
            image = render_image(loaded.scene.gaussians, view, options_for(loaded.notes))
            self._seen[key] = network.look(image)
        self._seen.move_to_end(key)
        while len(self._seen) > MOST_VIEWS:
            self._seen.popitem(last=False)
        return self._seen[key]


def view_of(click: Click, device: str) -> RasterView:
    """The view that was clicked into, on black."""
    fl_x, fl_y, cx, cy = click.lens
    K = [[fl_x, 0.0, cx], [0.0, fl_y, cy], [0.0, 0.0, 1.0]]
    return RasterView(
        viewmat=torch.tensor(click.viewmat, dtype=torch.float32, device=device).view(4, 4),
        K=torch.tensor(K, dtype=torch.float32, device=device),
        width=click.size[0],
        height=click.size[1],
        sh_degree=None,
        background=torch.zeros(3, device=device),
    )
