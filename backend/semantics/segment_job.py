"""The verb `segment`: trained splats in, the same splats with their objects out, and what is needed
to ask for them by words.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from ..cutting.hierarchy import MergeTree
from ..formats import capture, semantics_file, splat_ply
from ..formats.semantics_file import Semantics
from ..formats.splat_ply import SplatArrays
from ..formats.splats import files
from ..gaussians.model import from_arrays
from ..gaussians.options import Drawables, RasterView, options_for
from ..geometry.arrays import Floats, Ints32
from ..geometry.spherical_harmonics import SH_C0
from ..networks.onnx_model import for_networks
from ..networks.segmenter import load_segmenter
from ..protocol import VERSION, InputError
from ..runtime import atomic
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from .novel_views import between, render_image
from .object_codes import encode, evidence
from .object_index import (
    ObjectIndexConfig,
    index_objects,
    nearest,
    owners,
    settled,
    spread,
)
from .object_list import describe
from .object_tree import object_tree, objects_of
from .regions import sam as sams
from .regions.label_images import read_regions
from .regions.segments import segment_regions
from .regions.surface_pieces import Pieces
from .regions.view_regions import ViewRegions
from .scene_pieces import pieces_of
from .segment_verb import PRESETS, SegmentOptions
from .self_training import self_train
from .teachers.loading import load
from .teachers.teacher import Teacher
from .view_features import drawn_regions, look, without_tiny
from .views import SemanticView, choose_views


@dataclass(frozen=True)
class Scene:
    """Splats as they are looked at."""

    arrays: SplatArrays
    gaussians: Drawables
    rgb: Floats  # (N, 3)


@dataclass(frozen=True)
class SceneObjects:
    """K objects."""

    shares: csr_matrix  # (N, K) of every object in every Gaussian; empty rows: of none
    regions: list[Ints32]  # the object of every region, view by view


def run(job: Job[SegmentOptions]) -> Outcome:
    """Leaves splats.ply with the property object_id, objects.json and semantics.npz in the job's
    output.
    """
    options, preset = job.options, PRESETS[job.request.preset]
    if not options.capture:
        raise InputError(
            "No capture is given: objects are found in its pictures.",
            "Give the capture that the splats were trained on.",
        )
    source = capture.read(Path(options.capture))
    job.stage("Reading the splats", 1, 5)
    scene = _read(job)
    wanted = options.views or preset.views
    views = choose_views(source, wanted, options.side or preset.side, job.device)
    teacher = _teacher(job, options)
    job.stage("Looking at the pictures", 2, 5)
    pieces = StageKeeper(job).stage(
        "pieces", Pieces, lambda: pieces_of(scene.arrays, scene.gaussians, scene.rgb, views)
    )
    find = _finder(job, options, pieces, views)
    seen, which = _look(job, scene, views, teacher, find)
    if not sum(v.weights.nnz for v in seen):
        raise InputError(
            "None of the pictures shows the splats.", "Give the capture that they were trained on."
        )
    job.stage("Finding objects", 3, 5)
    objects = StageKeeper(job).stage(
        "objects",
        SceneObjects,
        lambda: _find(scene, seen, pieces, which if find.of_pieces else None),
    )
    job.stage("Looking from in between", 4, 5)
    features = _learn(
        job, scene, seen, objects, between([v.view for v in views], wanted - len(views)), teacher
    )
    job.stage("Writing the objects", 5, 5)
    known = objects_of(which, objects.regions, pieces.count) if find.of_pieces else None
    labelled = (scene.arrays.means, scene.rgb, owners(objects.shares))
    count = objects.shares.shape[1]
    tree = object_tree(labelled, count, features, pieces.tree if find.of_pieces else None, known)
    _write(job, scene, objects, _semantics(objects, seen, features, teacher, tree))
    none = int((owners(objects.shares) < 0).sum())
    summary = f"{count} objects in {len(scene.rgb):,} splats, from {len(views)} pictures"
    return Outcome(
        f"{summary}; {none:,} splats of haze and surroundings are of none" if none else summary,
        {
            "objects": float(count),
            "splats": float(len(scene.rgb)),
            "pictures": float(len(views)),
            "of_no_object": float(none),
        },
    )


def _read(job: Job[SegmentOptions]) -> Scene:
    arrays = files.read(Path(job.request.input))
    for text in arrays.told:
        job.warn("INPUT", text)
    if arrays.left_out:
        job.warn("LEFT_OUT", f"Left out: {'; '.join(arrays.left_out)}.")
    model = from_arrays(arrays, job.device)
    rgb = (0.5 + SH_C0 * arrays.sh[:, 0]).clip(0, 1).astype(np.float32)
    gaussians = Drawables(
        means=model.means,
        quats=model.quats,
        scales=model.scales,
        opacities=model.opacities,
        colors=torch.tensor(rgb, device=job.device),
    )
    return Scene(arrays, gaussians, rgb)


def _teacher(job: Job[SegmentOptions], options: SegmentOptions) -> Teacher | None:
    if not options.model:
        job.warn(
            "NO_MODEL",
            "No CLIP model is given: objects are found, but they can't be asked for by words.",
        )
        return None
    return load(options.model, torch.device(job.device))


@dataclass(frozen=True)
class Finder:
    """Who finds the regions of a picture."""

    # regions (H, W) of a view's picture, by the view's number, and how many there are
    find: Callable[[int, NDArray[np.uint8]], tuple[Ints32, int]]
    of_pieces: bool = False  # a region's number is its piece's


def _finder(
    job: Job[SegmentOptions], options: SegmentOptions, pieces: Pieces, views: list[SemanticView]
) -> Finder:
    """The user, a SAM, a segmenter, or the pieces as the pictures show them."""
    if options.regions:
        folder = Path(options.regions)
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", "Check the path.")
        frames = [(v.frame.image.name, v.view.width, v.view.height) for v in views]
        return Finder(lambda i, _image: read_regions(folder, *frames[i]))
    device = for_networks(job.request.device, job.device)
    if options.sam:
        sam = sams.load(Path(options.sam), device)
        return Finder(lambda _i, image: sam.regions(image))
    if options.segmenter:
        segmenter = load_segmenter(Path(options.segmenter), device)
        return Finder(lambda _i, image: segment_regions(segmenter, image))
    return Finder(lambda i, _image: (pieces.pictures[i], pieces.count), True)


def _look(
    job: Job[SegmentOptions],
    scene: Scene,
    views: list[SemanticView],
    teacher: Teacher | None,
    find: Finder,
) -> tuple[list[ViewRegions], list[Ints32]]:
    """What is seen in every view, and the numbers that its regions had."""
    with StageKeeper(job).rows("views", tuple[ViewRegions, Ints32]) as rows:
        for i in range(len(rows.values), len(views)):
            view, shown = views[i].view, views[i].read_image()
            labels, kept = without_tiny(*find.find(i, shown))
            rows.add((look(scene.gaussians, view, shown, (labels, len(kept)), teacher), kept))
            job.progress(len(rows.values), len(views))
    return [row[0] for row in rows.values], [row[1] for row in rows.values]


def _find(
    scene: Scene, seen: list[ViewRegions], pieces: Pieces, known: list[Ints32] | None
) -> SceneObjects:
    """`known`: the pieces that the views' regions are, where they are pieces."""
    means, weights, config = scene.arrays.means, [v.weights for v in seen], ObjectIndexConfig()
    if known is not None:
        shares, regions = settled(weights, known, nearest(means), config)
    else:
        shares, regions = index_objects(weights, nearest(means), config, pieces.labels)
    if not shares.shape[1]:
        raise InputError(
            "No objects were found: there are too few splats, or hardly any that can be seen.",
            "Train more splats.",
        )
    kept = diags((~pieces.nothing).astype(np.float32))
    return SceneObjects((kept @ spread(shares, means)).tocsr(), regions)


def _learn(
    job: Job[SegmentOptions],
    scene: Scene,
    seen: list[ViewRegions],
    objects: SceneObjects,
    novel: list[RasterView],
    teacher: Teacher | None,
) -> Floats:
    """The objects' features (K, D): from the photographs and, where those are few, from drawings
    between them.
    """
    count, owner = objects.shares.shape[1], owners(objects.shares)
    if teacher is None:
        return evidence(seen, objects.regions, count).features
    with StageKeeper(job).rows("drawings", tuple[ViewRegions, Ints32]) as rows:
        for view in novel[len(rows.values) :]:
            labels, kept = without_tiny(*drawn_regions(scene.gaussians, view, owner))
            image = render_image(scene.gaussians, view, options_for(scene.arrays.notes))
            seen_there = look(scene.gaussians, view, image, (labels, len(kept)), teacher)
            rows.add((seen_there, kept))
            job.progress(len(rows.values), len(novel))
    drawings, numbers = [row[0] for row in rows.values], [row[1] for row in rows.values]
    return self_train(seen, objects.regions, drawings, numbers, count).features


def _semantics(
    objects: SceneObjects,
    seen: list[ViewRegions],
    features: Floats,
    teacher: Teacher | None,
    tree: MergeTree,
) -> Semantics:
    taught = np.concatenate([v.features for v in seen])
    mean = (taught.mean(0) if len(taught) else np.zeros(features.shape[1])).astype(np.float32)
    codes = encode(objects.shares)
    return Semantics(
        objects=codes.objects,
        shares=codes.shares,
        features=features,
        mean=mean,
        model=teacher.name if teacher else "",
        tree_pairs=tree.pairs.astype(np.int32),
        tree_rates=tree.rates.astype(np.float32),
    )


def _write(
    job: Job[SegmentOptions], scene: Scene, objects: SceneObjects, semantics: Semantics
) -> None:
    owner = owners(objects.shares)
    labels = np.where(owner >= 0, owner, semantics_file.NOTHING).astype(np.uint16)
    labelled = replace(scene.arrays, extra={**scene.arrays.extra, semantics_file.LABEL: labels})
    splat_ply.write(job.folder.staging / "splats.ply", labelled, (f"Splatsmith {VERSION}",))
    semantics_file.write(job.folder.staging / semantics_file.NAME, semantics)
    atomic.write_json(
        job.folder.staging / semantics_file.OBJECTS,
        describe(scene.arrays.means, scene.rgb, objects.shares),
    )
