"""The verb `surface`: splats in; one textured mesh out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...formats import capture, mesh_sequence, obj_file
from ...formats.mesh_sequence import MeshSequence
from ...formats.splat_arrays import SplatArrays, opacities_of, take
from ...formats.splats import files
from ...gaussians.model import Gaussians, from_arrays
from ...protocol import InputError
from ...runtime.job import Job, Outcome
from ...runtime.kept_stage import StageKeeper
from ...runtime.threads import one_thread
from ..optimization.quality import Appearance, EvalView, mask_iou, render, stacked
from ..surfaces.surface import Surface, decimate, evened, largest_parts
from ..texture.paint import PaintConfig, paint
from ..texture.unwrap import Atlas, unwrap
from .fusion import DepthFusionConfig, closed, fuse, make_grid, surface_of
from .looking import LookingView, SeenSplats, all_around, look, of_capture
from .painting import painted_from_photos, painted_from_splats
from .surface_verb import PRESETS, SurfaceOptions

STAGES = 5
FAINT = 0.1  # opacity of splats that say nothing of where a surface is
CORE = (0.005, 0.995)  # quantiles of the splats' places between which the box lies, and
WIDER = 0.08  # of its sides, on each side: what sticks out is seldom a twentieth of a thing
# rounds of smoothing at so many cells a side; finer ones need more for the same width
EVENING, EVENED = 10, 128
SHOWN = 4  # views in the preview
MOST_PIXELS, FEWEST = 5_000_000, 16  # that the texture is painted from, 200 bytes each; and views


@dataclass(frozen=True, kw_only=True)
class LookedAt:
    """The splats on a device, and the cameras that look at them."""

    gaussians: Gaussians
    low: Tensor  # (3,) of their box
    high: Tensor
    views: list[LookingView]


def run(job: Job[SurfaceOptions]) -> Outcome:
    """Leaves mesh.obj, mesh.mtl, texture.png, mesh.npz and preview.png."""
    with one_thread():
        scene = _read(job)
        keeper = StageKeeper(job)
        looks = _look(job, scene)
        surface = keeper.stage("surface", Surface, lambda: _surface(job, scene, looks))
        job.stage("Unwrapping", 4, STAGES)
        atlas = keeper.stage("atlas", Atlas, lambda: unwrap(surface))
        texture = keeper.stage("texture", Tensor, lambda: _painted(job, looks, surface, atlas))
        _write(job, surface, atlas, texture)
        return _told(job, looks, surface, atlas, texture)


def _read(job: Job[SurfaceOptions]) -> LookedAt:
    job.stage("Reading the splats", 1, STAGES)
    source, options, preset = Path(job.request.input), job.options, PRESETS[job.request.preset]
    arrays = files.read(source / "splats.ply" if source.is_dir() else source)
    for text in arrays.told:
        job.warn("INPUT", text)
    solid = _solid(job, arrays)
    gaussians = from_arrays(solid, job.device)
    low, high = _box(gaussians.means)
    count = options.views or preset.views
    if options.capture:
        views = of_capture(_frames(options), (low, high), count, preset.side)
        if len(views) < 2:
            raise InputError(
                "The capture's cameras don't see these splats.",
                "Choose the capture that they were trained on.",
            )
    elif options.paint == "photos":
        raise InputError(
            "There are no photographs to paint from.",
            "Choose the capture that the splats were trained on, or paint from the splats.",
        )
    else:
        views = all_around((low, high), count, preset.side)
    return LookedAt(gaussians=gaussians, low=low, high=high, views=views)


def _frames(options: SurfaceOptions) -> list[capture.Frame]:
    """InputError for a capture whose photographs are not seen as splats are drawn."""
    chosen = capture.read(Path(options.capture))
    if options.paint == "photos":
        capture.require_images(chosen)
        if not all(frame.is_pinhole for frame in chosen.frames):
            raise InputError(
                "The capture's pictures have lens distortion.",
                "Run `cameras` on it first: that undistorts them; or paint from the splats.",
            )
    return chosen.frames


def _solid(job: Job[SurfaceOptions], arrays: SplatArrays) -> SplatArrays:
    """What is neither surroundings nor hardly there; InputError where that is next to nothing."""
    kept = opacities_of(arrays) > FAINT
    far = arrays.extra.get("surroundings")
    if far is not None and far.any():
        kept &= far == 0
        job.warn(
            "SURROUNDINGS", f"{int((far != 0).sum()):,} splats of the surroundings are left out."
        )
    if kept.sum() < 50:
        raise InputError(
            f"Only {int(kept.sum())} splats are solid enough to show a surface.",
            "Choose splats of an object or of a scene that can't be seen through.",
        )
    return take(arrays, kept)


def _box(means: Tensor) -> tuple[Tensor, Tensor]:
    """(3,) and (3,): around all but a few strays."""
    ordered = means.sort(dim=0).values
    low, high = (ordered[round(share * (len(means) - 1))] for share in CORE)
    wider = WIDER * (high - low).max()
    return low - wider, high + wider


def _look(job: Job[SurfaceOptions], scene: LookedAt) -> list[SeenSplats]:
    job.stage("Looking at the splats", 2, STAGES)
    looks = []
    for index, view in enumerate(scene.views):
        looks.append(look(scene.gaussians, view))
        job.progress(index + 1, len(scene.views))
    return looks


def _surface(job: Job[SurfaceOptions], scene: LookedAt, looks: list[SeenSplats]) -> Surface:
    job.stage("Fusing the surface", 3, STAGES)
    options, preset, config = job.options, PRESETS[job.request.preset], DepthFusionConfig()
    grid = make_grid(scene.low, scene.high, options.detail or preset.detail, config)
    field = fuse(looks, grid, config, job.progress)
    if options.closed:
        field = closed(field, looks, config)
    surface = surface_of(field)
    if surface is None or len(surface.faces) < 20:
        raise InputError(
            "The cameras see no solid surface in these splats.",
            "Choose the capture that they were trained on; a scene can't be seen from outside.",
        )
    rounds = round(EVENING * (grid.side / grid.cell / EVENED) ** 2)
    whole = evened(largest_parts(surface), rounds)
    return decimate(whole, options.faces or preset.faces)


def _painted(
    job: Job[SurfaceOptions], looks: list[SeenSplats], surface: Surface, atlas: Atlas
) -> Tensor:
    job.stage("Painting the texture", 5, STAGES)
    chosen = _few_pixels(looks)
    by_photos = job.options.paint == "photos"
    views = painted_from_photos(chosen) if by_photos else painted_from_splats(chosen)
    vertices, faces = _tensors(surface, looks[0].depth.device)
    config = PaintConfig(size=job.options.texture or PRESETS[job.request.preset].texture)
    return paint(views, lambda view: vertices, faces, atlas, config, job.progress).cpu()


def _few_pixels(looks: list[SeenSplats]) -> list[SeenSplats]:
    """So many views, evenly, as the painter has memory for."""
    covered = sum(int((seen.alpha > 0.5).sum()) for seen in looks)
    count = min(len(looks), max(FEWEST, int(len(looks) * MOST_PIXELS / max(covered, 1))))
    return [looks[k] for k in np.linspace(0, len(looks) - 1, count).round().astype(int)]


def _tensors(surface: Surface, device: torch.device) -> tuple[Tensor, Tensor]:
    return (
        torch.from_numpy(surface.vertices).to(device),
        torch.from_numpy(surface.faces).to(device),
    )


def _write(job: Job[SurfaceOptions], surface: Surface, atlas: Atlas, texture: Tensor) -> None:
    folder = job.folder.staging
    pixels = (texture * 255).round().to(torch.uint8).numpy()
    Image.fromarray(pixels).save(folder / mesh_sequence.TEXTURE)
    obj_file.write(
        folder / obj_file.NAME, surface.vertices, surface.faces, atlas.uvs, mesh_sequence.TEXTURE
    )
    sequence = MeshSequence(
        rest=surface.vertices,
        faces=surface.faces.astype(np.int32),
        positions=surface.vertices[None],
        seconds=np.zeros(1),
        colors=np.full_like(surface.vertices, 0.8),
        uvs=atlas.uvs,
    )
    mesh_sequence.write(folder / mesh_sequence.NAME, sequence)


def _told(
    job: Job[SurfaceOptions],
    looks: list[SeenSplats],
    surface: Surface,
    atlas: Atlas,
    texture: Tensor,
) -> Outcome:
    """How like the splats it looks, and a picture of both."""
    vertices, faces = _tensors(surface, looks[0].depth.device)
    worn = Appearance(
        faces,
        texture=texture.to(vertices.device),
        uvs=torch.from_numpy(atlas.uvs).to(vertices.device),
    )
    chosen = [looks[k] for k in np.linspace(0, len(looks) - 1, 2 * SHOWN).round().astype(int)]
    errors, outlines, rows = [], [], []
    for seen, view in zip(chosen, painted_from_splats(chosen), strict=True):
        drawn = render(EvalView(view, vertices, worn))
        both = (seen.alpha > 0.5) & (drawn[..., 3] > 0.5)
        plain = seen.color / seen.alpha[..., None].clamp_min(1e-6)
        errors.append(float((drawn[..., :3] - plain)[both].square().mean()) if both.any() else 1.0)
        outlines.append(mask_iou(drawn[..., 3], seen.alpha))
        left = seen.color + 1 - seen.alpha[..., None]
        rows.append(torch.cat([left, drawn[..., :3] + 1 - drawn[..., 3:]], 1))
    pairs = stacked(rows[:: len(rows) // SHOWN][:SHOWN])
    image = Image.fromarray((pairs * 255).round().to(torch.uint8).cpu().numpy())
    image.save(job.folder.staging / "preview.png")
    job.preview(job.folder.staging / "preview.png")
    decibels = float(-10 * np.log10(max(float(np.mean(errors)), 1e-10)))
    outline = float(np.mean(outlines))
    return Outcome(
        f"{len(surface.faces):,} triangles; like the splats to {decibels:.1f} dB, outline "
        f"{outline:.0%}",
        {
            "faces": float(len(surface.faces)),
            "vertices": float(len(surface.vertices)),
            "psnr_to_splats": decibels,
            "outline": outline,
        },
        {},
    )
