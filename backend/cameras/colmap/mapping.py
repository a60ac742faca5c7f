"""COLMAP's mappers: cameras from the matches that are there.

Same matches and seed, same cameras, whatever the cores: both mappers run on one thread, for on
several bundle adjustment adds up in the order in which threads come home, and a last digit decides
which picture is placed next. And what they may try is counted in work, not in seconds, which a busy
machine has fewer of.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pycolmap

from . import segments
from .channel import Channel
from .colmap_command import ColmapTask
from .segments import Segment
from .solved import Solved

THREADS = 1
# Work that a mapper may do in vain, in pictures placed; a new beginning costs as many as it may try
# and fail to place. Clips that it can solve take it one beginning and one placing of each picture.
BEGINNING, PATIENCE, FOR_EACH = 10, 100, 2
TRIALS = 20  # pairs of pictures to begin with, each time that less is asked of them


class Effort:
    """Counts what the incremental mapper does, and stops it at `most`."""

    def __init__(self, most: int, done: int = 0) -> None:
        self.most, self.done, self.token = most, done, pycolmap.CancellationToken()

    def add(self, work: int) -> None:
        """So much more was done."""
        self.done += work
        if self.is_too_much:
            self.token.cancel()

    @property
    def is_too_much(self) -> bool:
        """Whether the mapper is stopped."""
        return self.done > self.most


def _incremental(task: ColmapTask, out: Path, channel: Channel) -> list[Any] | None:
    """Models, or None where they would take too much work."""
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads, options.random_seed, options.min_model_size = THREADS, task.seed, 3
    options.max_num_models, options.ba_refine_focal_length = 4, not task.lock_focal
    options.init_num_trials = TRIALS
    run = SegmentRun(task, out, channel, segments.last(Path(task.work), task.goes_on))
    while (ended := run.go(options)) is not None:
        run = SegmentRun(task, out, channel, ended)
    return run.models


class SegmentRun:
    """COLMAP's mapper from one segment's beginning, until the next one begins or to its end."""

    def __init__(self, task: ColmapTask, out: Path, channel: Channel, segment: Segment) -> None:
        self.task, self.out, self.channel, self.start = task, out, channel, segment.begin()
        self.effort = Effort(PATIENCE + FOR_EACH * len(task.names), segment.done)
        self.sizes: list[int] = []  # of the models that it has begun
        self.written = 0  # models, by COLMAP
        self.models: list[Any] | None = None

    def go(self, options: Any) -> Segment | None:
        """The next segment; None where there is none, and `models` are all that there are."""
        options.snapshot_path, options.snapshot_frames_freq = self.start.half, self.start.length
        database, start = Path(self.task.work) / "database.db", self.start
        pycolmap.set_random_seed(self.task.seed)
        try:
            models = pycolmap.incremental_mapping(
                database,
                self.task.images,
                self.out,
                options,
                str(start.model) if start.placed else "",
                initial_image_pair_callback=self._begins,
                next_image_callback=self._one_more,
                cancellation_token=self.effort.token,
            )
        except InterruptedError:  # its word for a cancelled token
            return None if self.effort.is_too_much else start.next(self.effort.done)
        self.models = list(models.values())
        if start.placed and self.sizes[0] == start.placed:
            segments.adjust(database, options, self.models[0])
        return None

    def _begins(self) -> None:
        """A model has its first two pictures; one that is gone on with has begun before."""
        goes_on = not self.sizes and bool(self.start.placed)
        self.sizes.append(self.start.placed if goes_on else 2)
        if not goes_on:
            self.effort.add(BEGINNING)

    def _one_more(self) -> None:
        """A picture more has its place. Only the largest model ends a segment: the others are
        forgotten then.
        """
        self.effort.add(1)
        self.sizes[-1] += 1
        written, self.written = self.written, self.start.written()
        if self.written > written and self.sizes[-1] > max(self.sizes[:-1], default=0):
            self.effort.token.cancel()
        total = len(self.task.names)
        self.channel.send(step=min(max(self.sizes), total), total=total)


def _global(task: ColmapTask, out: Path) -> list[Any]:
    """What it does is bounded by its own numbers of iterations."""
    options = pycolmap.GlobalPipelineOptions()
    options.num_threads, options.random_seed = THREADS, task.seed
    database = Path(task.work) / "database.db"
    return list(pycolmap.global_mapping(database, task.images, out, options).values())


def map_cameras(task: ColmapTask, channel: Channel) -> dict[str, Any]:
    """Cameras from the matches that kind "match" left, in `task.solved`; none where none were
    found, or where the mapper had to be stopped ("stopped" among the figures).
    """
    out = Path(task.work) / "models"
    out.mkdir(exist_ok=True)
    # the world in pieces that could not be joined, ideally one
    models = _global(task, out) if task.mapper == "global" else _incremental(task, out, channel)
    best = max(models or (), key=lambda m: m.num_reg_images(), default=None)
    _solved(best, task.names).save(Path(task.solved))
    error = 0.0
    if best is not None and best.num_points3D():
        error = float(best.compute_mean_reprojection_error())
    return {"models": len(models or ()), "reprojection_px": error, "stopped": models is None}


def _solved(model: Any, names: list[str]) -> Solved:
    """The cameras of a model, in the order of `names`."""
    index = {name: i for i, name in enumerate(names)}
    images = [i for i in model.images.values() if i.has_pose] if model else []
    placed = sorted(((index[i.name], i) for i in images), key=lambda p: p[0])
    viewmats = [np.vstack([image.cam_from_world().matrix(), [0, 0, 0, 1]]) for _, image in placed]
    cameras = [model.cameras[image.camera_id] for _, image in placed]
    return Solved(
        frames=np.array([i for i, _ in placed], np.int64),
        viewmats=np.array(viewmats).reshape(-1, 4, 4),
        focals=np.array([c.mean_focal_length() for c in cameras]),
        radial=np.array([cameras[0].params[3] if cameras else 0.0, 0.0]),
    )
