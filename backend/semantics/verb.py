"""The verb `segment`: trained splats in, the same splats with their objects out, and what is needed to ask for them by words."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..formats import capture, semantics_file, splat_ply
from ..formats.semantics_file import Semantics
from ..formats.splat_ply import SplatArrays
from ..gaussians.model import from_arrays
from ..gaussians.options import Drawables
from ..gaussians.region_weights import label_map
from ..geometry.spherical_harmonics import SH_C0
from ..protocol import VERSION, InputError, Preset, SegmentOptions
from ..runtime import atomic
from ..runtime.job import Job, Outcome
from .object_codes import encode, object_features
from .object_index import ObjectIndexConfig, index_objects, nearest, owners, spread
from .object_list import describe
from .regions.given import read_regions
from .regions.proposals import propose
from .teachers.open_clip_teacher import load
from .teachers.teacher import Teacher
from .view_regions import Floats, Ints, ViewRegions, weigh
from .views import SemanticView, choose_views

LEAST_SHARE = 0.3  # of a pixel that a piece must make up to be seen there
FINE = 1000  # pixels of the longer side that weights are drawn at, if that is no more than three times the view's
SMALLEST_REGION = 12  # pixels


@dataclass(frozen=True)
class SegmentConfig:
    """What a preset means for segmentation."""

    views: int
    side: int


PRESETS: dict[Preset, SegmentConfig] = {"fast": SegmentConfig(20, 320), "balanced": SegmentConfig(30, 480), "best": SegmentConfig(60, 480)}


@dataclass(frozen=True)
class Scene:
    """Splats as they are looked at."""

    arrays: SplatArrays
    gaussians: Drawables
    rgb: Floats  # (N, 3)
    pieces: Ints  # (N,) what they fall into by shape and colour


def _read(job: Job) -> Scene:
    job.stage("Reading the splats", 1, 4)
    arrays = splat_ply.read(Path(job.request.input))
    if not len(arrays):
        raise InputError("The file holds no splats.", "Train splats first.")
    model = from_arrays(arrays, job.device)
    rgb = (0.5 + SH_C0 * arrays.sh[:, 0]).clip(0, 1).astype(np.float32)
    gaussians = Drawables(model.means, model.quats, model.scales, model.opacities, torch.tensor(rgb, device=job.device))
    return Scene(arrays, gaussians, rgb, propose(arrays.means, rgb, model.opacities.cpu().numpy()))


def _regions(scene: Scene, view: SemanticView, given: Path | None) -> tuple[Ints, int]:
    """The user's regions of a picture, or the pieces as they are seen in it; tiny ones left out."""
    if given is not None:
        regions, count = read_regions(given, view.frame.image.name, view.view.width, view.view.height)
    else:
        count = int(scene.pieces.max(initial=-1)) + 1
        regions, share = label_map(scene.gaussians, view.view, scene.pieces, count)
        regions = np.where(share > LEAST_SHARE, regions, -1).astype(np.int32)
    sizes = np.bincount(regions[regions >= 0], minlength=count)
    number = np.full(count + 1, -1, np.int32)
    number[np.flatnonzero(sizes >= SMALLEST_REGION)] = np.arange((sizes >= SMALLEST_REGION).sum())
    return number[regions], int((sizes >= SMALLEST_REGION).sum())


def _look(job: Job, scene: Scene, views: list[SemanticView], teacher: Teacher | None, given: Path | None) -> list[ViewRegions]:
    found = []
    for step, view in enumerate(views):
        regions, count = _regions(scene, view, given)
        features = teacher.encode_regions(view.picture(), regions, count) if teacher else np.zeros((count, 0), np.float32)
        finer = int(np.clip(FINE // max(view.view.width, view.view.height), 1, 3))
        found.append(weigh(scene.gaussians, view.view, regions, features, finer))
        job.progress(step + 1, len(views))
    return found


def _teacher(job: Job, options: SegmentOptions) -> Teacher | None:
    if not options.model:
        job.warn("NO_MODEL", "No CLIP model is given: objects are found, but they can't be asked for by words.")
        return None
    return load(options.model, torch.device(job.device))


def _codebook(views: list[ViewRegions], regions: list[Ints], count: int) -> tuple[Floats, Floats]:
    """Features of the objects (K, D), and the mean of all regions' (D,)."""
    features, _ = object_features(views, regions, count)
    seen = np.concatenate([v.features for v in views])
    mean = seen.mean(0) if len(seen) else np.zeros(features.shape[1])
    return features, mean.astype(np.float32)


def run(job: Job) -> Outcome:
    """Leaves splats.ply with the property object_id, objects.json and semantics.npz in the job's output."""
    options, preset = job.request.options, PRESETS[job.request.preset]
    assert isinstance(options, SegmentOptions)
    if not options.capture:
        raise InputError("No capture is given: objects are found in its pictures.", "Give the capture that the splats were trained on.")
    source = capture.read(Path(options.capture))
    given = Path(options.regions) if options.regions else None
    if given is not None and not given.is_dir():
        raise InputError(f"There is no folder {given}.", "Check the path.")
    scene = _read(job)
    views = choose_views(source, options.views or preset.views, options.side or preset.side, job.device)
    teacher = _teacher(job, options)
    job.stage("Looking at the pictures", 2, 4)
    seen = _look(job, scene, views, teacher, given)
    if not sum(v.weights.nnz for v in seen):
        raise InputError("None of the pictures shows the splats.", "Give the capture that they were trained on.")
    job.stage("Finding objects", 3, 4)
    means = scene.arrays.means
    shares, regions = index_objects([v.weights for v in seen], nearest(means), ObjectIndexConfig(), scene.pieces)
    if not shares.shape[1]:
        raise InputError("No objects were found: there are too few splats, or hardly any that can be seen.", "Train more splats.")
    shares = spread(shares, means)
    codes, (features, mean) = encode(shares), _codebook(seen, regions, shares.shape[1])
    job.stage("Writing the objects", 4, 4)
    owner = owners(shares)
    labels = np.where(owner >= 0, owner, semantics_file.NOTHING).astype(np.uint16)
    labelled = replace(scene.arrays, extra={**scene.arrays.extra, semantics_file.LABEL: labels})
    _write(job.folder.staging, labelled, Semantics(codes.objects, codes.shares, features, mean, teacher.name if teacher else ""))
    atomic.write_json(job.folder.staging / semantics_file.OBJECTS, describe(scene.arrays.means, scene.rgb, shares))
    summary = f"{shares.shape[1]} objects in {len(owner):,} splats, from {len(views)} pictures"
    return Outcome(summary, {"objects": float(shares.shape[1]), "splats": float(len(owner)), "pictures": float(len(views))})


def _write(folder: Path, arrays: SplatArrays, semantics: Semantics) -> None:
    splat_ply.write(folder / "splats.ply", arrays, (f"Splatsmith {VERSION}",))
    semantics_file.write(folder / semantics_file.NAME, semantics)
