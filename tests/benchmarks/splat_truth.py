"""What the views of a scene truly show, which of it training has seen, and how right splats are
there.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from helpers import ray_world
from PIL import Image

from backend.formats import splat_ply
from backend.gaussians.losses import ssim_map
from backend.gaussians.model import Gaussians, from_arrays
from backend.gaussians.rasterize import rasterize
from backend.geometry.conventions import to_viewmat
from backend.splats.exposed_alike import exposed_alike
from tests.benchmarks.splat_scenes import FOCAL, SIZE, Scene, ceiling, exposures, filmed, judging

WRONG = 0.2  # of full brightness
VIEWS = 2  # training pictures that must have seen a place for it to count


@dataclass(frozen=True)
class Judged:
    """A view that scores."""

    kind: str
    pose: np.ndarray  # (4, 4) camera to world
    image: np.ndarray  # (H, W, 3) 0..1
    depth: np.ndarray  # (H, W), infinite in the sky
    counts: np.ndarray  # (H, W) bool: enough training pictures saw what is here


def look(scene: Scene, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image (H, W, 3) and depth (H, W)."""
    return (
        ray_world.render_image(scene.world, pose, FOCAL, SIZE),
        ray_world.depth(scene.world, pose, FOCAL, SIZE),
    )


def sightings(
    pose: np.ndarray, depth: np.ndarray, others: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """(H, W) how many of the other cameras, (pose, depth) each, see what a pixel shows."""
    rays = ray_world.pixel_rays(FOCAL, SIZE) @ pose[:3, :3].T.astype(np.float32)
    solid = np.isfinite(depth).ravel()
    # what lies in the sky is a direction
    distance = np.where(solid, depth.ravel(), 0)[:, None]
    points = np.where(solid[:, None], pose[:3, 3] + rays * distance, rays)
    seen = np.zeros(len(rays), int)
    for other, there in others:
        viewmat = to_viewmat(other)
        local = points @ viewmat[:3, :3].T + solid[:, None] * viewmat[:3, 3]
        with np.errstate(all="ignore"):
            column = np.floor(local[:, 0] / local[:, 2] * FOCAL + SIZE[0] / 2)
            row = np.floor(local[:, 1] / local[:, 2] * FOCAL + SIZE[1] / 2)
            ahead = (local[:, 2] > 1e-3) & (column >= 0) & (column < SIZE[0])
            ahead &= (row >= 0) & (row < SIZE[1])
        met = there[np.where(ahead, row, 0).astype(int), np.where(ahead, column, 0).astype(int)]
        same = np.where(solid, np.abs(local[:, 2] - met) < 0.03 * met, np.isinf(met))
        seen += ahead & same
    return seen.reshape(SIZE[1], SIZE[0])


def make_truth(scene: Scene, seed: int) -> list[Judged]:
    """The views that score."""
    training = [
        (pose, ray_world.depth(scene.world, pose, FOCAL, SIZE)) for pose in filmed(scene, seed)
    ]
    found = []
    for kind, pose in judging(scene):
        image, depth = look(scene, pose)
        found.append(Judged(kind, pose, image, depth, sightings(pose, depth, training) >= VIEWS))
    return found


def write_footage(scene: Scene, seed: int, folder: Path, with_ceiling: bool = False) -> Path:
    """transforms.json with pictures: the arc, and for the ceiling what lies beyond it."""
    poses = filmed(scene, seed) + (ceiling(scene) if with_ceiling else [])
    (folder / "images").mkdir(parents=True, exist_ok=True)
    frames = []
    for number, (pose, gain) in enumerate(
        zip(poses, exposures(scene, len(poses), seed), strict=True)
    ):
        pixels = (look(scene, pose)[0] * gain).clip(0, 1) * 255
        name = f"images/{number:03d}.png"
        Image.fromarray(pixels.round().astype(np.uint8)).save(folder / name)
        frames.append({"file_path": name, "transform_matrix": pose.tolist()})
    lens = {"fl_x": FOCAL, "fl_y": FOCAL, "cx": SIZE[0] / 2, "cy": SIZE[1] / 2}
    data = {**lens, "w": SIZE[0], "h": SIZE[1], "frames": frames}
    (folder / "transforms.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


@torch.no_grad()
def drawn(model: Gaussians, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image (H, W, 3) on black and expected depth (H, W) of splats."""
    viewmat = torch.from_numpy(to_viewmat(pose)).float()
    K = torch.tensor([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1.0]])
    found = rasterize(
        model.means,
        model.quats,
        model.scales,
        model.opacities,
        model.sh(model.sh_degree),
        viewmat[None],
        K[None],
        *SIZE,
        sh_degree=model.sh_degree,
        render_mode="RGB+ED",
    ).image[0]
    return found[..., :3].clamp(0, 1).numpy(), found[..., 3].numpy()


def exposed(image: np.ndarray, judged: Judged) -> np.ndarray:
    """The image as the view's exposure would have shown it."""
    truth, counts = torch.from_numpy(judged.image), torch.from_numpy(judged.counts)
    return exposed_alike(torch.from_numpy(image), truth, counts).numpy()


def scores(judged: Judged, image: np.ndarray, depth: np.ndarray) -> dict[str, float]:
    """Over the pixels that count: PSNR in dB, SSIM; over the solid ones of them: the median
    relative error of depth, and the share that is wrong by more than `WRONG` in any channel.
    """
    counts = judged.counts
    solid = counts & np.isfinite(judged.depth)
    off = image - judged.image
    similar = ssim_map(torch.from_numpy(image).float(), torch.from_numpy(judged.image).float())
    relative = np.abs(depth[solid] / judged.depth[solid] - 1)
    return {
        "PSNR": float(-10 * np.log10(max((off[counts] ** 2).mean(), 1e-10))),
        "SSIM": float(similar.mean(0).numpy()[counts].mean()),
        "depth error": 100 * float(np.median(relative)),
        "wrong": 100 * float((np.abs(off[solid]).max(1) > WRONG).mean()),
    }


def score(scene: Scene, truth: list[Judged], ply: Path) -> dict[str, dict[str, float]]:
    """Mean scores by kind of view."""
    model, found = from_arrays(splat_ply.read(ply)), {}
    rows: dict[str, list[dict[str, float]]] = {}
    for judged in truth:
        image, depth = drawn(model, judged.pose)
        if scene.exposed:
            image = exposed(image, judged)
        rows.setdefault(judged.kind, []).append(scores(judged, image, depth))
    for kind, several in rows.items():
        found[kind] = {name: float(np.mean([s[name] for s in several])) for name in several[0]}
    return found


def contact_sheet(scene: Scene, truth: list[Judged], ply: Path, path: Path) -> None:
    """Truth, dark where it does not count, above splats; the last view of each kind."""
    model = from_arrays(splat_ply.read(ply))
    chosen = {judged.kind: judged for judged in truth}  # the last of each
    columns = [
        np.concatenate(
            [
                judged.image * np.where(judged.counts, 1, 0.3)[..., None],
                drawn(model, judged.pose)[0],
            ]
        )
        for judged in chosen.values()
    ]
    pixels = (np.concatenate(columns, 1).clip(0, 1) * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(path)
