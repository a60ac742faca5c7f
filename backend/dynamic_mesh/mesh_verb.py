"""The verb `mesh`: a capture with time in, one animated mesh out."""

import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..formats import capture, mesh_sequence
from ..formats.mesh_sequence import MeshSequence, Nodes
from ..protocol import MeshOptions, SplatsmithError
from ..runtime import checkpoint
from ..runtime.atomic import atomic_path
from ..runtime.job import Job, Outcome
from ..runtime.threads import one_thread
from . import footage as reading
from .footage import Footage
from .moments import Moment, held_out, view_arc
from .presets import MeshConfig, make_config
from .quality import Look, measure, side_by_side
from .template import canonical_gaussians
from .template.surface import Surface
from .texture.paint import paint
from .texture.unwrap import Atlas, unwrap
from .tracked import fit as fitting
from .tracked.fit import Fit
from .tracked.motion import Motion, carried_over, node_transforms, skinned, wave_count
from .tracked.nodes import build

STAGES = 5
CHECKPOINT_SECONDS = 20.0
STATE = "state.safetensors"
ONE_SIDED = 60.0  # degrees around the object below which its far side is a guess


def _read(job: Job, options: MeshOptions, config: MeshConfig) -> Footage:
    job.stage("Reading the footage", 1, STAGES)
    source = capture.read(Path(job.request.input))
    capture.require_pictures(source)
    masks = Path(options.masks) if options.masks else None
    found = reading.load(source, masks, options.fps, config.footage, job.progress)
    if found.cut_off > 0.2:
        job.warn("CUT_OFF", f"The object is cut off by the edge in {found.cut_off:.0%} of the pictures: there its outline is a guess.")
    return found


def _warn_of_views(job: Job, found: Footage, moments: list[Moment]) -> float:
    """Says what the footage can't tell; degrees around the object."""
    arc = view_arc(moments)
    if found.placement.travels:
        job.warn("TRAVELS", "The object moves through the world, or the camera only turns: its distance is guessed from its size.")
    if arc < 2.0:
        job.warn("ONE_DIRECTION", "It is seen from one direction: whether it turns or changes shape can't be told, its depth is a guess.")
    elif arc < ONE_SIDED:
        job.warn("ONE_SIDED", f"The object is seen from {arc:.0f} degrees around it only: what no picture shows is a guess.")
    return arc


def _begin(job: Job, training: list[Moment], config: MeshConfig) -> Fit:
    """The template and its first motion, or the fit where it was stopped."""
    seed = job.request.seed
    if job.resumed:
        try:
            return _restored(training, config, seed, *checkpoint.load(job.folder.checkpoint / STATE))
        except SplatsmithError as error:
            job.warn("CHECKPOINT", f"{error.what} The work starts anew.")
    job.stage("Finding the shape", 2, STAGES)
    canonical = config.canonical
    found = canonical_gaussians.train(training, canonical, wave_count(config.fit.motion, len(training)), seed, job.progress)
    surface = canonical_gaussians.to_surface(found, canonical)
    graph = build(surface, config.fit.nodes)
    motion = carried_over(found.graph, found.means.detach(), found.motion, graph)
    return fitting.begin(surface, training, config.fit, seed, motion)


def _restored(training: list[Moment], config: MeshConfig, seed: int, tensors: dict[str, Tensor], note: dict[str, int]) -> Fit:
    surface = Surface(tensors.pop("rest").numpy(), tensors.pop("faces").numpy())
    names = ("rotations", "translations", "whole_rotation", "whole_translation")
    motion = Motion(*(tensors[n].clone().requires_grad_(True) for n in names))
    fit = fitting.begin(surface, training, config.fit, seed, motion)
    fitting.restore(fit, tensors, note["step"])
    return fit


def _fit(job: Job, fit: Fit) -> None:
    job.stage("Following the motion", 3, STAGES, fit.step)
    last, smooth = time.monotonic(), 0.0
    while fit.step < fit.config.steps:
        loss = fitting.fit_step(fit)
        if not np.isfinite(loss):
            raise SplatsmithError("The fit diverged.", "Check the masks and the cameras, or try another seed.")
        smooth = loss if smooth == 0 else 0.98 * smooth + 0.02 * loss
        try:
            job.progress(fit.step, fit.config.steps, loss=smooth)
        except SplatsmithError:  # cancelled: what was reached is kept
            _save(job, fit)
            raise
        if time.monotonic() - last > CHECKPOINT_SECONDS:
            _save(job, fit)
            _preview(job, fit)
            last = time.monotonic()


def _save(job: Job, fit: Fit) -> None:
    tensors = {"rest": torch.from_numpy(fit.surface.vertices), "faces": torch.from_numpy(fit.surface.faces), **fitting.state_of(fit)}
    checkpoint.save(job.folder.checkpoint / STATE, tensors, {"step": fit.step})


@torch.no_grad()
def _preview(job: Job, fit: Fit) -> None:
    moment = fit.moments[len(fit.moments) // 2]
    path = job.folder.previews / f"{fit.step:06d}.png"
    look = Look(fit.faces, colors=fit.colors.sigmoid())
    with atomic_path(path) as part:
        Image.fromarray(side_by_side([(moment, fit.at(moment.time))], look)).save(part)
    job.preview(path)


@torch.no_grad()
def to_sequence(fit: Fit, found: Footage, atlas: Atlas) -> MeshSequence:
    """In the capture's world, at every picture's moment: pictures of one moment give one."""
    moments = {m.time: index for index, m in reversed(list(enumerate(found.moments)))}
    first, vertices = found.placement.centers[0], fit.shape.vertices()
    radius, positions, transforms = found.placement.radius, [], []
    for time_, index in sorted(moments.items()):
        pose, center = fit.motion.at(time_), found.placement.centers[index]
        positions.append(radius * skinned(vertices, fit.graph, pose).double().numpy() + center)
        matrices, shifts = (t.double().numpy() for t in node_transforms(fit.graph, pose))
        transforms.append(np.concatenate([matrices, (radius * shifts + center - matrices @ first)[..., None]], -1))
    nodes = Nodes(
        np.asarray(radius * fit.graph.rest.numpy() + first, np.float32), np.stack(transforms).astype(np.float32),
        fit.graph.skin.numpy().astype(np.int32), fit.graph.weights.numpy(),
    )  # fmt: skip
    seconds = np.array([found.seconds[index] for _, index in sorted(moments.items())])
    rest = np.asarray(radius * vertices.numpy() + first, np.float32)
    colors = fit.colors.detach().sigmoid().numpy()
    return MeshSequence(rest, fit.surface.faces.astype(np.int32), np.stack(positions).astype(np.float32), seconds, colors, atlas.uvs, nodes)


def run(job: Job) -> Outcome:
    """Leaves mesh.npz, texture.png and heldout.png."""
    with one_thread():
        return _run(job)


def _run(job: Job) -> Outcome:
    options = job.request.options
    assert isinstance(options, MeshOptions)
    config = make_config(job.request.preset, options)
    found = _read(job, options, config)
    held = held_out(len(found.moments), options.holdout)
    training = [m for i, m in enumerate(found.moments) if i not in held]
    arc = _warn_of_views(job, found, training)
    fit = _begin(job, training, config)
    _fit(job, fit)
    job.stage("Painting the texture", 4, STAGES)
    with torch.no_grad():
        vertices = fit.shape.vertices()
    atlas = unwrap(Surface(vertices.numpy(), fit.surface.faces))

    def placed(moment: Moment) -> Tensor:
        return fit.at(moment.time, vertices)

    texture = paint(training, placed, fit.faces, atlas, config.paint, job.request.seed, job.progress)
    job.stage("Measuring and writing", 5, STAGES)
    sequence = to_sequence(fit, found, atlas)
    mesh_sequence.write(job.folder.staging / mesh_sequence.NAME, sequence)
    pixels = (texture * 255).round().to(torch.uint8).numpy()
    Image.fromarray(pixels).save(job.folder.staging / mesh_sequence.TEXTURE)
    look = Look(fit.faces, texture=texture, uvs=torch.from_numpy(atlas.uvs))
    judged = [(found.moments[i], placed(found.moments[i])) for i in held or range(0, len(found.moments), 8)]
    quality = measure(judged, look, found.pixels) if held else {}
    Image.fromarray(side_by_side(judged[:5], look)).save(job.folder.staging / "heldout.png")
    metrics = {**quality, "vertices": float(len(sequence.rest)), "moments": float(len(sequence.seconds)), "arc": arc}
    text = f", outline {quality['iou']:.0%} right and {quality['psnr']:.1f} dB on {len(held)} held-out pictures" if quality else ""
    summary = f"{len(sequence.rest):,} vertices that keep their identity through {len(sequence.seconds)} moments{text}"
    return Outcome(summary, metrics, {"masks": found.masks_from, "arc_degrees": round(arc, 1)})
