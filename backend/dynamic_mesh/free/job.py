"""The free-topology reconstruction as a job."""

from typing import Any

from ...formats import mesh_frames
from ...runtime.job import Job
from ..footage.timed_views import TimedView
from ..optimization.loop import MeshClip, Optimization, evaluate, optimize, saved
from ..optimization.quality import Appearance, EvalView
from ..verdict.evidence import gather
from ..verdict.judgement import MeshVerdict, judge
from . import fit as fitting
from .config import FreeConfig
from .export import cycle_error, mesh_of, to_frames
from .fit import FreeFit
from .saved_fit import restored, state_of

STAGES = 4


def reconstruct(
    job: Job[Any], clip: MeshClip, config: FreeConfig
) -> tuple[str, dict[str, float], MeshVerdict]:
    """Leaves mesh_frames.npz and heldout.png; a sentence, figures and the verdict."""
    fit = _begin(job, clip, config)
    job.stage("Following shape and motion", 3, STAGES, fit.step)
    optimize(
        job,
        clip,
        Optimization(
            at=lambda: fit.step,
            steps=config.steps,
            step=lambda: fitting.fit_step(fit),
            state=lambda: state_of(fit),
            look=lambda m: _eval_view(fit, m),
        ),
    )
    job.stage("Measuring and writing", 4, STAGES)
    sequence = to_frames(fit, clip.footage)
    mesh_frames.write(job.folder.staging / mesh_frames.NAME, sequence)
    quality, ending = evaluate(job, clip, lambda m: _eval_view(fit, m))
    verdict = judge(gather(clip, lambda m: _eval_view(fit, m), quality, one_mesh=False))
    vertices = sum(len(f.vertices) for f in sequence.frames) / len(sequence.frames)
    metrics = {
        **quality,
        "vertices": vertices,
        "moments": float(len(sequence.seconds)),
        "one_topology": sequence.one_topology,
        "cycle_error": cycle_error(fit, [m.time for m in clip.eval_views]),
    }
    return (
        f"{len(sequence.frames)} meshes of about {vertices:,.0f} vertices, tied by their "
        f"ids{ending}",
        metrics,
        verdict,
    )


def _begin(job: Job[Any], clip: MeshClip, config: FreeConfig) -> FreeFit:
    before = saved(job)
    if before is not None:
        return restored(clip.training, config, *before)
    job.stage("Finding where the object is", 2, STAGES)
    return fitting.begin(clip.training, config, job.request.seed)


def _eval_view(fit: FreeFit, view: TimedView) -> EvalView:
    mesh = mesh_of(fit, view.time) if fit.has_surface else None
    if mesh is not None:
        return EvalView(view, mesh.vertices, Appearance(mesh.faces, colors=mesh.colors))
    nothing = fit.model.level.new_zeros(3, 3)
    return EvalView(
        view, nothing, Appearance(nothing[:1].long(), colors=nothing)
    )  # there is no mesh yet, or not then
