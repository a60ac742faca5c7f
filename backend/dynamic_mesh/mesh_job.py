"""The verb `mesh`: a capture with time in; one animated mesh, or a mesh a frame, out."""

from pathlib import Path

from ..formats import capture
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from ..runtime.threads import one_thread
from .config import MeshConfig, make_config
from .footage import load as reading
from .footage.load import ObjectFootage
from .footage.object_sheet import object_sheet
from .footage.timed_views import seen_around
from .free import job as free
from .mesh_verb import MeshOptions
from .optimization.loop import MeshClip, make_clip
from .tracked import job as tracked
from .verdict.judgement import in_sentences

SHEET = "object.png"
ONE_SIDED = 60.0  # degrees around the object below which its far side is a guess


def run(job: Job[MeshOptions]) -> Outcome:
    """Leaves object.png, what was taken for the object, and what the mode leaves (tracked/job.py,
    free/job.py).
    """
    with one_thread():
        options = job.options
        config = make_config(job.request.preset, options, job.device)
        clip = _read(job, options, config)
        arc = _warn_of_views(job, clip)
        if options.mode == "free":
            summary, metrics, verdict = free.reconstruct(job, clip, config.free)
        else:
            summary, metrics, verdict = tracked.reconstruct(job, clip, config.tracked)
        if verdict.level != "good":
            job.warn(verdict.level.upper(), in_sentences(verdict))
        return Outcome(
            summary,
            {**metrics, "arc": arc},
            {
                "masks": clip.footage.masks_from,
                "arc_degrees": round(arc, 1),
                "verdict": verdict.as_json(),
            },
        )


def _read(job: Job[MeshOptions], options: MeshOptions, config: MeshConfig) -> MeshClip:
    job.stage(
        "Reading the footage", 1, tracked.STAGES if options.mode == "tracked" else free.STAGES
    )
    source = capture.read(Path(job.request.input))
    capture.require_images(source)
    job.reads(capture.files_of(source))
    masks = Path(options.masks) if options.masks else None
    keeper = StageKeeper(job)
    footage = keeper.stage(
        "footage",
        ObjectFootage,
        lambda: reading.load(
            source, masks, options.fps, config.footage, options.holdout, job.progress, keeper
        ),
    )
    object_sheet(footage.views).save(job.folder.staging / SHEET)
    job.preview(job.folder.staging / SHEET)
    if footage.masks_propagated:
        job.warn(
            "CARRIED",
            f"{footage.masks_propagated} pictures got their masks from others. Where {SHEET} shows "
            f"them wrong, give more masks.",
        )
    if footage.cut_off > 0.2:
        job.warn(
            "CUT_OFF",
            f"The object is cut off by the edge in {footage.cut_off:.0%} of the pictures: there "
            f"its outline is a guess.",
        )
    return make_clip(reading.on_device(footage, job.device))


def _warn_of_views(job: Job[MeshOptions], clip: MeshClip) -> float:
    """Says what the footage can't tell; degrees around the object."""
    arc = seen_around(clip.training)
    if clip.footage.placement.travels:
        job.warn(
            "TRAVELS",
            "The object moves through the world, or the camera only turns: its distance is guessed "
            "from its size.",
        )
    if arc < 2.0:
        job.warn(
            "ONE_DIRECTION",
            "It is seen from one direction: whether it turns or changes shape can't be told, its "
            "depth is a guess.",
        )
    elif arc < ONE_SIDED:
        job.warn(
            "ONE_SIDED",
            f"The object is seen from {arc:.0f} degrees around it only: what no picture shows is a "
            f"guess.",
        )
    return arc
