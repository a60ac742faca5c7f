"""The tracked reconstruction as a job: template, motion, texture, file."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...formats import mesh_sequence
from ...formats.mesh_sequence import MeshSequence, Nodes
from ...runtime.job import Job
from ...runtime.kept_stage import StageKeeper
from ..deformation.motion import (
    frequency_count,
    node_transforms,
    skinned,
    transferred,
)
from ..deformation.nodes import build
from ..footage.load import ObjectFootage
from ..footage.timed_views import TimedView, silhouette_trajectory
from ..optimization.loop import MeshClip, Optimization, evaluate, optimize, saved
from ..optimization.quality import Appearance, EvalView
from ..surfaces.surface import Surface
from ..template import canonical_gaussians
from ..template.canonical_gaussians import CanonicalGaussians
from ..template.gaits import train_gait
from ..template.solid import to_surface
from ..texture.paint import paint
from ..texture.unwrap import Atlas, unwrap
from ..verdict.evidence import gather
from ..verdict.judgement import MeshVerdict, judge
from . import fit as fitting
from .anchored import spread
from .config import TrackedConfig
from .fit import Fit
from .inner_links import linked
from .saved_fit import restored, state_of

STAGES = 5


def reconstruct(
    job: Job[Any], clip: MeshClip, config: TrackedConfig
) -> tuple[str, dict[str, float], MeshVerdict]:
    """Leaves mesh.npz, texture.png and heldout.png; a sentence, figures and the verdict."""
    fit = _begin(job, clip.training, config)
    job.stage("Following the motion", 3, STAGES, fit.step)
    optimize(
        job,
        clip,
        Optimization(
            at=lambda: fit.step,
            steps=fit.config.steps,
            step=lambda: fitting.fit_step(fit),
            state=lambda: state_of(fit),
            look=lambda m: EvalView(
                m, fit.at(m.time), Appearance(fit.faces, colors=fit.colors.sigmoid())
            ),
        ),
    )
    job.stage("Painting the texture", 4, STAGES)
    with torch.no_grad():
        vertices = fit.shape.vertices()
    atlas = unwrap(Surface(vertices.cpu().numpy(), fit.surface.faces))

    @torch.no_grad()
    def placed(view: TimedView) -> Tensor:
        return fit.at(view.time, vertices)

    texture = (
        StageKeeper(job)
        .stage(
            "texture",
            Tensor,
            lambda: paint(clip.training, placed, fit.faces, atlas, config.paint, job.progress),
        )
        .to(fit.faces.device)
    )
    job.stage("Measuring and writing", 5, STAGES)
    sequence = to_sequence(fit, clip.footage, atlas)
    mesh_sequence.write(job.folder.staging / mesh_sequence.NAME, sequence)
    pixels = (texture * 255).round().to(torch.uint8).cpu().numpy()
    Image.fromarray(pixels).save(job.folder.staging / mesh_sequence.TEXTURE)
    look = Appearance(
        fit.faces, texture=texture, uvs=torch.from_numpy(atlas.uvs).to(texture.device)
    )

    def evaluated(view: TimedView) -> EvalView:
        return EvalView(view, placed(view), look)

    quality, ending = evaluate(job, clip, evaluated)
    verdict = judge(gather(clip, evaluated, quality, one_mesh=True))
    metrics = {
        **quality,
        "vertices": float(len(sequence.rest)),
        "moments": float(len(sequence.seconds)),
        "one_topology": 1.0,
        "gait_cycles": float(fit.motion.cycles.sum()),
    }
    return (
        f"{len(sequence.rest):,} vertices that keep their identity through {len(sequence.seconds)} "
        f"moments{ending}",
        metrics,
        verdict,
    )


def _begin(job: Job[Any], training: list[TimedView], config: TrackedConfig) -> Fit:
    """The template and its first motion, or the fit where it was stopped."""
    before = saved(job)
    if before is not None:
        return restored(training, config.fit, job.request.seed, *before)
    gaussians, seed = _canonical(job, training, config), job.request.seed
    surface = to_surface(gaussians, config.canonical)
    graph = linked(build(surface, config.fit.nodes), surface).to(gaussians.means.device)
    motion = transferred(gaussians.graph, gaussians.means.detach(), gaussians.motion, graph)
    vertices, faces = (
        torch.from_numpy(values).to(gaussians.means.device)
        for values in (surface.vertices, surface.faces)
    )
    generator = torch.Generator().manual_seed(seed)
    anchored = spread(
        gaussians.means,
        gaussians.opacity_logits,
        gaussians.colors,
        vertices,
        faces,
        generator,
        config.fit.anchor,
    )
    fit = fitting.for_gait(config.fit) if len(motion.cycles) else config.fit
    return fitting.begin(surface, graph, training, fit, seed, motion, anchored)


def _canonical(
    job: Job[Any], training: list[TimedView], config: TrackedConfig
) -> CanonicalGaussians:
    """Shape and motion, of a gait where there is one."""
    job.stage("Finding the shape", 2, STAGES)
    canonical, seed, keeper = config.canonical, job.request.seed, StageKeeper(job)
    device = training[0].viewmat.device
    frequencies = frequency_count(
        config.fit.motion, [view.time for view in training], silhouette_trajectory(training)
    )
    plain = keeper.stage(
        "canonical",
        CanonicalGaussians,
        lambda: canonical_gaussians.train(
            training, canonical, frequencies, seed, job.progress, keeper
        ),
    ).to(device)
    job.stage("Looking for a gait", 2, STAGES)
    return train_gait(plain, training, canonical, seed, job.progress, keeper)


@torch.no_grad()
def to_sequence(fit: Fit, footage: ObjectFootage, atlas: Atlas) -> MeshSequence:
    """In the capture's world, at every picture's moment."""
    first, vertices = footage.placement.centers[0], fit.shape.vertices()
    radius, positions, transforms = footage.placement.radius, [], []
    for time, index in footage.distinct:
        pose, center = fit.motion.at(time), footage.placement.centers[index]
        positions.append(
            radius * skinned(vertices, fit.graph, pose).cpu().double().numpy() + center
        )
        matrices, shifts = (t.cpu().double().numpy() for t in node_transforms(fit.graph, pose))
        transforms.append(
            np.concatenate([matrices, (radius * shifts + center - matrices @ first)[..., None]], -1)
        )
    graph = fit.graph
    nodes = Nodes(
        np.asarray(radius * graph.rest.cpu().numpy() + first, np.float32),
        np.stack(transforms).astype(np.float32),
        graph.skin.cpu().numpy().astype(np.int32),
        graph.weights.cpu().numpy(),
    )
    seconds = np.array([footage.seconds[index] for _, index in footage.distinct])
    rest = np.asarray(radius * vertices.cpu().numpy() + first, np.float32)
    colors = fit.colors.detach().sigmoid().cpu().numpy()
    return MeshSequence(
        rest=rest,
        faces=fit.surface.faces.astype(np.int32),
        positions=np.stack(positions).astype(np.float32),
        seconds=seconds,
        colors=colors,
        uvs=atlas.uvs,
        nodes=nodes,
    )
