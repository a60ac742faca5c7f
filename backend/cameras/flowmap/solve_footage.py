"""Footage to FlowMap and back: small pictures and flow in, cameras in the footage's pixels out."""

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from ...media.frames import Footage
from ...media.tracks.flow import Flow, FlowConfig, dense_flow
from ...media.tracks.tracks import Tracks
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..bundle.state import Reconstruction
from ..estimation.problem import Problem
from ..footage.images import GrayFrames, read_image
from ..footage.prepare import small_masks
from .clip import FlowMapClip
from .fit import FlowMapConfig, FlowMapResult, fit
from .network import NetworkConfig
from .pretrained import (
    KNOWN_DEPTH,
    Pretrained,
    PretrainedConfig,
    PretrainedDepth,
    with_flow,
    with_tracks,
)

PIXELS = 4800  # of FlowMap's small pictures


def model_size(width: int, height: int, pixels: int) -> tuple[int, int]:
    """Width and height of about `pixels`, multiples of 8."""
    scale = (pixels / (width * height)) ** 0.5
    return max(16, round(width * scale / 8) * 8), max(16, round(height * scale / 8) * 8)


def make_clip(
    footage: Footage,
    tracks: Tracks,
    masks: Path | None,
    pixels: int,
    progress: Callable[[int, int], None] = lambda step, total: None,
) -> FlowMapClip:
    """Small colour pictures, their flow, and tracks (in the footage's pixels) in shares of the
    picture.
    """
    size = model_size(footage.width, footage.height, pixels)
    gray = GrayFrames(footage, FlowConfig().max_side)
    flow: Flow = dense_flow(
        gray, size, FlowConfig(), small_masks(masks, footage, gray.size), progress
    )
    small = [
        cv2.resize(read_image(footage.folder / n, color=True), size, interpolation=cv2.INTER_AREA)
        for n in footage.names
    ]
    video = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
    shares = np.array([footage.width, footage.height], np.float64)
    return FlowMapClip(
        video=video,
        forward=torch.from_numpy(flow.forward),
        backward=torch.from_numpy(flow.backward),
        forward_trust=torch.from_numpy(flow.forward_trust),
        backward_trust=torch.from_numpy(flow.backward_trust),
        tracks=Tracks(tracks.frame, tracks.point, tracks.uv / shares),
    )


def as_solve(result: FlowMapResult, size: tuple[int, int]) -> Reconstruction:
    """Cameras without points."""
    viewmats = torch.linalg.inv(result.camera_to_world.double())
    focal = torch.full(
        (len(viewmats),), result.focal * (size[0] * size[1]) ** 0.5, dtype=torch.float64
    )
    f64 = torch.float64
    center, none = torch.tensor(size, dtype=f64) / 2, torch.zeros(0, 4, dtype=f64)
    return Reconstruction(
        rotations=viewmats[:, :3, :3],
        translations=viewmats[:, :3, 3],
        focals=focal,
        radial=torch.zeros(2, dtype=f64),
        center=center,
        points=none,
    )


def flowmap_start(
    footage: Footage,
    masks: Path | None,
    problem: Problem,
    given: Pretrained,
    progress: Callable[[int, int], None],
    keeper: StageKeeper = KEEP_NOTHING,
) -> Reconstruction:
    """FlowMap's own cameras; with a prior on the focal length, that one. With pretrained networks
    their flow, tracks and depth.
    """
    focal = (
        math.exp(problem.prior.log_focal) / (problem.size[0] * problem.size[1]) ** 0.5
        if problem.prior
        else None
    )
    if given == Pretrained():
        clip = make_clip(footage, problem.klt_tracks, masks, PIXELS)
        result = fit(clip, FlowMapConfig(), focal, problem.seed, progress, keeper=keeper)
        return as_solve(result, problem.size)
    clip = make_clip(footage, problem.klt_tracks, masks, PretrainedConfig().pixels).to(given.device)
    if given.flow is not None:
        clip = with_flow(clip, given.flow)
    if given.tracker is not None:
        clip = with_tracks(clip, given.tracker, PretrainedConfig())
    network = given.depth
    if network is None:
        result = fit(clip, FlowMapConfig(), focal, problem.seed, progress, keeper=keeper)
        return as_solve(result, problem.size)
    result = fit(
        clip,
        KNOWN_DEPTH,
        focal,
        problem.seed,
        progress,
        lambda: PretrainedDepth(network, NetworkConfig()),
        keeper,
    )
    return as_solve(result, problem.size)
