"""Click to select: one click on every thing of rooms that the product has trained, answered by the
process that answers in Blender, with a SAM that knows the exact masks, up to frayed outlines. With
and without the objects that `segment` has found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from helpers import label_pictures, teacher_simulator
from helpers.furnished_room import Room
from helpers.teacher_simulator import SimulatorConfig

from backend.formats.click_lines import Click
from backend.geometry.arrays import Flags, Floats, Ints32, Pixels
from backend.networks.sam import Candidates, SeenPicture
from backend.semantics.click_service import ClickService
from backend.semantics.view_features import drawn_regions
from tests.benchmarks import semantic_rooms
from tests.benchmarks.runs import backend
from tests.benchmarks.semantic_rooms import RoomFiles
from tests.benchmarks.semantic_trained import LEAST_PIXELS, PRESET, TRAINED, means
from tests.benchmarks.table import Row, Table

FRAYED = SimulatorConfig(fray=label_pictures.MISTAKES.fray, split=0, merge=0, lost=0)
SURE = 8.0  # logit of what it says is there


@dataclass
class KnowingSam:
    """Answers as SamNetwork does, from the masks (H, W) of the view that is clicked into next."""

    masks: Ints32 = field(default_factory=lambda: np.full((1, 1), -1, np.int32))

    def look(self, image: Pixels) -> SeenPicture:
        height, width = image.shape[:2]
        return SeenPicture(self.masks[None, None].astype(np.float32), width, height, 1.0)

    def ask(self, seen: SeenPicture, places: Floats, labels: Floats) -> Candidates:
        """One mask for the first point of each prompt: what lies there, or nothing."""
        masks = seen.embedding[0, 0]
        numbers = [masks[int(y), int(x)] for x, y in places[:, 0]]
        there = [(masks == n) & (n >= 0) for n in numbers]
        logits = np.where(np.array(there)[:, None], SURE, -SURE).astype(np.float32)
        return Candidates(logits, np.ones((len(places), 1), np.float32))


def frayed(owners: np.ndarray, random: np.random.Generator) -> Ints32:
    """Exact masks (H, W), -1: none, with outlines that are off by a pixel or so."""
    masks = np.full(owners.shape, -1, np.int32)
    for number, piece in teacher_simulator.mistaken(owners, random, FRAYED):
        masks[piece] = number
    return masks


def run(table: Table) -> None:
    for seed in TRAINED:
        found = semantic_rooms.files(seed)
        for kind, ply in (("trained", found.trained), ("ideal", found.ideal)):
            room = semantic_rooms.load(found, kind == "trained")
            output = table.scratch / f"{kind} {seed} clicks"
            _segmented(found, ply, output)
            for way, splats in (("no objects", ply), ("objects found", output / "splats.ply")):
                in_3d, in_views = clicks(room, splats, seed, table.scratch / "meant")
                for metric, values in (("3D", in_3d), ("other views", in_views)):
                    case, right = f"room {seed}, {kind}, {way}", 100 * np.array(values)
                    mean, half = float(right.mean()), 100 * float((right > 50).mean())
                    table.add(Row(case, f"IoU after a click, {metric}", mean, "%", seed))
                    table.add(Row(case, f"IoU above 0.5, {metric}", half, "%", seed))
    means(table, ("trained", "ideal"))


def _segmented(found: RoomFiles, ply: Path, output: Path) -> None:
    done = backend("segment", ply, output, "--capture", str(found.capture), "--preset", PRESET)
    if isinstance(done, str):
        raise RuntimeError(f"segment failed at {ply}: {done}")


def clicks(room: Room, splats: Path, seed: int, result: Path) -> tuple[list[float], list[float]]:
    """Of every click, into every second of the held-out views, its IoU over splats and over the
    pixels of the other held-out views.
    """
    sam, random = KnowingSam(), np.random.default_rng(seed)
    service = ClickService(lambda *_: sam)  # type: ignore[arg-type,return-value]  # it asks no more
    clicked, others = semantic_rooms.unseen()[::2], semantic_rooms.unseen()[1::2]
    in_3d, in_views = list[float](), list[float]()
    for view in clicked:
        sam.masks = frayed(room.owners[view], random)
        for thing, place in _places(room.owners[view], random):
            answer = service.answer(_click(room, view, splats, place, result))
            meant = np.zeros(len(room.objects), bool)
            if not answer.error:
                meant = np.fromfile(result, np.uint8).astype(bool)
            known = room.objects >= 0
            in_3d.append(overlap(meant[known], room.objects[known] == thing))
            in_views += _drawn(room, meant, thing, others)
    return in_3d, in_views


def _places(
    owners: np.ndarray, random: np.random.Generator
) -> Iterator[tuple[int, tuple[float, float]]]:
    """Of every thing of a view (H, W) a place to click at, any of it: people hit what they want."""
    for thing in np.unique(owners[owners >= 0]).tolist():
        rows, columns = np.nonzero(owners == thing)
        if len(rows) >= LEAST_PIXELS:
            at = int(random.integers(len(rows)))
            yield thing, (columns[at] + 0.5, rows[at] + 0.5)


def _click(room: Room, view: int, splats: Path, place: tuple[float, float], result: Path) -> Click:
    seen = room.views[view]
    K = seen.K.tolist()
    return Click(
        id=1,
        splats=str(splats),
        sam="knowing",
        viewmat=seen.viewmat.ravel().tolist(),
        lens=[K[0][0], K[1][1], K[0][2], K[1][2]],
        size=[seen.width, seen.height],
        points=[list(place)],
        labels=[1],
        level="thing",
        result=str(result),
        device="cpu",
    )


def overlap(a: Flags | np.ndarray, b: Flags | np.ndarray) -> float:
    """Intersection over union."""
    return float((a & b).sum() / max((a | b).sum(), 1))


def _drawn(room: Room, meant: Flags, thing: int, views: list[int]) -> list[float]:
    """One number, over all pixels of those views together; none where they hardly show it."""
    both = either = there = 0
    for view in views:
        drawn = drawn_regions(room.gaussians, room.views[view], meant.astype(np.int32))[0] == 1
        true = room.owners[view] == thing
        both, either = both + (drawn & true).sum(), either + (drawn | true).sum()
        there += true.sum()
    return [float(both / either)] if there >= LEAST_PIXELS else []
