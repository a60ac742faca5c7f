"""Features, verified matches and tracks of pictures, by COLMAP."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image  # before pycolmap: see process.py

import pycolmap  # isort: skip
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...formats.capture import image_size
from ...media.tracks.tracks import EMPTY, Tracks, make
from . import stopped_database
from .channel import Channel
from .colmap_command import ColmapTask
from .pairs import image_pairs


@contextlib.contextmanager
def matched_database(task: ColmapTask, channel: Channel, per_image: bool) -> Iterator[Path]:
    """Features and verified matches of all pictures in a database, which is new unless the task
    goes on in one that a stopped process has left. It is held open (see database_progress.py).

    On many threads, and the same on any number: pictures have their numbers before threads race
    to finish them, and every search for a geometry begins at the seed, where a thread would go on
    with the random numbers that its last pair left. What is written is read back by number.
    """
    database = Path(task.work) / "database.db"
    mode = pycolmap.CameraMode.PER_IMAGE if per_image else pycolmap.CameraMode.SINGLE
    reader = _reader(task, per_image)
    if not (task.goes_on and stopped_database.can_go_on(database, task.names)):
        stopped_database.remove(database)
        with pycolmap.Database.open(database):
            pass  # makes it
        pycolmap.import_images(
            database, task.images, camera_mode=mode, image_names=task.names, options=reader
        )
    with pycolmap.Database.open(database):
        _extract(task, channel, database, reader, mode)
        _match(task, channel, database)
        yield database


def _extract(task: ColmapTask, channel: Channel, database: Path, reader: Any, mode: Any) -> None:
    channel.send(stage="Finding features")
    channel.send(count="keypoints", total=len(task.names))
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.num_threads, extraction.use_gpu = task.threads, False
    extraction.sift.max_num_features = task.features
    pycolmap.extract_features(
        database,
        task.images,
        image_names=task.names,
        camera_mode=mode,
        reader_options=reader,
        extraction_options=extraction,
        device=pycolmap.Device.cpu,
    )


def _match(task: ColmapTask, channel: Channel, database: Path) -> None:
    pairs = image_pairs(task.names, task.ordered)
    listing = Path(task.work) / "pairs.txt"
    listing.write_text("".join(f"{a} {b}\n" for a, b in pairs), encoding="utf-8")
    matching, pairing = pycolmap.FeatureMatchingOptions(), pycolmap.ImportedPairingOptions()
    matching.num_threads, matching.use_gpu = task.threads, False
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = task.seed
    pairing.match_list_path, pairing.block_size = str(listing), 100
    channel.send(stage="Matching pictures")
    channel.send(count="two_view_geometries", total=len(pairs))
    pycolmap.match_image_pairs(
        database,
        matching_options=matching,
        pairing_options=pairing,
        verification_options=verification,
        device=pycolmap.Device.cpu,
    )


def _reader(task: ColmapTask, per_image: bool) -> Any:
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "OPENCV" if task.kind == "known" else "SIMPLE_RADIAL"
    if task.masks:
        reader.mask_path = _whole_masks(task)
    if task.focal > 0 and not per_image and task.kind == "match":
        width, height = image_size(Path(task.images) / task.names[0])
        reader.camera_params = ",".join(map(str, [task.focal, width / 2, height / 2, 0]))
    return reader


def _whole_masks(task: ColmapTask) -> Path:
    """A mask for every picture: COLMAP passes over those that have none."""
    given, whole = Path(task.masks), Path(task.work) / "whole-masks"
    if all((given / f"{name}.png").is_file() for name in task.names):
        return given
    whole.mkdir(exist_ok=True)
    for name in task.names:
        mask, copy = given / f"{name}.png", whole / f"{name}.png"
        if mask.is_file():
            shutil.copyfile(mask, copy)
        else:
            Image.new("L", image_size(Path(task.images) / name), 255).save(copy)
    return whole


def read_tracks(database: Path, names: list[str]) -> Tracks:
    """Tracks that the verified matches tie together; ties that would see a point twice in one
    picture are dropped.
    """
    index = {name: i for i, name in enumerate(names)}
    with pycolmap.Database.open(database) as db:
        frame_of = {image.image_id: index[image.name] for image in db.read_all_images()}
        keypoints = {image: np.asarray(db.read_keypoints(image))[:, :2] for image in frame_of}
        ids, geometries = db.read_two_view_geometries()
        pairs = [
            (pycolmap.pair_id_to_image_pair(p), np.asarray(g.inlier_matches))
            for p, g in zip(ids, geometries, strict=True)
        ]
    order = sorted(frame_of, key=lambda i: frame_of[i])
    offsets = dict(
        zip(order, np.cumsum([0] + [len(keypoints[i]) for i in order[:-1]]).tolist(), strict=True)
    )
    total = sum(len(k) for k in keypoints.values())
    links = [
        np.stack([m[:, 0] + offsets[a], m[:, 1] + offsets[b]])
        for (a, b), m in pairs
        if len(m) >= 15
    ]
    if not links:
        return EMPTY
    joined = np.concatenate(links, 1).astype(np.int64)
    graph = coo_array(
        (np.ones(joined.shape[1], np.int8), (joined[0], joined[1])), shape=(total, total)
    )
    component = connected_components(graph, directed=False)[1]
    frame = np.concatenate([np.full(len(keypoints[i]), frame_of[i]) for i in order])
    uv = np.concatenate([keypoints[i] for i in order]).astype(np.float64)
    used = np.unique(joined)
    return _without_conflicts(frame[used], component[used].astype(np.int64), uv[used])


def _without_conflicts(frame: np.ndarray, point: np.ndarray, uv: np.ndarray) -> Tracks:
    """Keeps points that every frame sees once, two frames or more."""
    key = np.unique(np.stack([point, frame], 1), axis=0, return_counts=True)
    doubled = np.unique(key[0][key[1] > 1, 0])
    good = ~np.isin(point, doubled)
    tracks = make(frame[good], point[good], uv[good])
    return tracks.keep(np.ones(len(tracks.frame), bool), 2)


def why_nothing(database: Path, count: int) -> str:
    """What the pictures lack, as a clause."""
    with pycolmap.Database.open(database) as db:
        features, (_, inliers) = (
            db.num_keypoints() / max(count, 1),
            db.read_two_view_geometry_num_inliers(),
        )
    if features < 100:
        return "the pictures show too little texture (blank, dark or blurred)"
    if sum(1 for n in inliers if n > 15) < count // 2:
        return "neighbouring pictures have too little in common"
    return "the camera moved too little for depth to be seen, or only turned"
