"""The verb `splats`: a capture in, trained Gaussian splats out."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from ..formats import capture, splat_ply
from ..formats.capture import Capture
from ..formats.splat_notes import from_offset
from ..formats.splat_ply import SplatArrays
from ..gaussians.model import Gaussians
from ..gaussians.rasterize import rasterizer_name
from ..geometry.arrays import Ints
from ..geometry.conventions import from_viewmat
from ..geometry.upright import upright_of_cameras
from ..protocol import VERSION, InputError, SplatsmithError
from ..runtime import atomic, checkpoint, kept_stage
from ..runtime.job import Job, Outcome
from . import growing_splats, trainer as training
from .config import TrainConfig, make_config
from .evaluate import evaluate, save_side_by_side
from .exposures import exposure_spread, log_gains
from .initialization import initialise, points_of
from .known_depth import KnownDepth, known_depths, share_known
from .novel_views import novel_views
from .splats_verb import SplatsOptions
from .support import PROPERTY, drop_unsupported
from .surroundings import Surroundings, add_shell, make_surroundings
from .trainer import Trainer
from .views import ViewSet, load_views

MIN_VIEWS = 3
STATE = "state.safetensors"
# of a splat at most: its 62 numbers in the file, and in a checkpoint 59 with Adam's two moments;
# while a checkpoint is written, there are two
BYTES = 4 * (62 + 2 * 3 * 59)
MEASURED = ("psnr", "ssim", "beyond_psnr", "beyond_ssim")


def _prepare(job: Job[SplatsOptions], config: TrainConfig, source: Capture) -> Trainer:
    for text in source.reading.told:
        job.warn("INPUT", text)
    capture.require_images(source)
    job.reads(capture.files_of(source))
    job.needs(config.max_splats * BYTES)
    centers = np.stack([frame.camera_to_world[:3, 3] for frame in source.frames])
    if len(centers) > 1 and np.ptp(centers, axis=0).max() < 1e-6:
        raise InputError(
            "The capture's camera only turns: its pictures hold no depth.",
            "Film while moving sideways around the subject.",
        )
    if len(source.frames) < MIN_VIEWS:
        raise InputError(
            f"The capture has only {len(source.frames)} pictures.",
            f"Training needs at least {MIN_VIEWS}.",
        )
    views = load_views(source, config.max_pixels, config.holdout, job.progress, config.beyond)
    known = _known(job, source, views)
    config, gains = _exposed(views, known, config)
    points = points_of(source)
    if points.told:
        job.warn("INPUT", points.told)
    model = initialise(points, views, config, job.request.seed, job.device)
    model, around = _surrounded(views, known, model, config)
    novel = novel_views(views.full, known, config.novel, gains)
    seed, device = job.request.seed, job.device
    trainer = training.start(config, views, model, seed, device, around, novel, gains)
    if job.resumed:
        training.restore(trainer, *checkpoint.load(job.folder.checkpoint / STATE, finite=True))
    return trainer


def _exposed(
    views: ViewSet, known: list[KnownDepth], config: TrainConfig
) -> tuple[TrainConfig, Tensor | None]:
    """Whether pictures differ in exposure, and by how much, (V, 3), where depth can tell."""
    if exposure_spread(known) > config.exposure_spread:
        config = replace(config, exposure=True)
    if not config.exposure or not known:
        return config, None
    rates = replace(config.rates, exposure=config.rates.exposure_known)
    return replace(config, rates=rates), log_gains(views.full, known)


def _known(job: Job[SplatsOptions], source: Capture, views: ViewSet) -> list[KnownDepth]:
    """What depth maps tell; other programs' formats are told of, and do without."""
    try:
        return [] if views.transparent else known_depths(source, views)
    except InputError as error:
        job.warn("DEPTH", f"{error.what} The training does without depth.")
        return []


def _surrounded(
    views: ViewSet, known: list[KnownDepth], model: Gaussians, config: TrainConfig
) -> tuple[Gaussians, Surroundings | None]:
    """The model with a shell of surroundings, where the capture's depth can tell what is far."""
    if not share_known(known):
        return model, None
    around = make_surroundings(views, str(model.means.device), config.surroundings, known)
    most = round(config.surroundings.share * config.max_splats)
    surrounded = add_shell(model, views, known, around, most, config.surroundings)
    return surrounded, around if len(surrounded) > len(model) else None


def _marked(trainer: Trainer, views: Ints) -> SplatArrays:
    """For the file: each splat says how many pictures see it, far ones that they are
    surroundings, and the header what is up.
    """
    poses = np.stack([from_viewmat(v.viewmat.double().numpy()) for v in trainer.views.full])
    arrays = trainer.model.to_arrays()
    arrays.notes = replace(trainer.notes, upright=upright_of_cameras(poses))
    arrays.extra[PROPERTY] = views.astype(np.uint16)
    is_far = trainer.surroundings.is_far(trainer.model.means).cpu().numpy()
    if is_far.any():
        arrays.extra["surroundings"] = is_far.astype(np.uint8)
    return arrays


def _marks(config: TrainConfig, count: int) -> set[int]:
    """Steps at which something is due, evenly spread, the last step included."""
    return {round(config.steps * (i + 1) / count) for i in range(count)} if count else set()


def _save(job: Job[SplatsOptions], trainer: Trainer) -> None:
    checkpoint.save(job.folder.checkpoint / STATE, *training.state_of(trainer))


def _show(job: Job[SplatsOptions], trainer: Trainer) -> None:
    path = job.folder.previews / f"{trainer.step:06d}.png"
    growing = path.with_name(splat_ply.FILE)  # each replaces the one before
    with job.drawing():
        save_side_by_side(trainer, path)
        with atomic.atomic_path(growing) as part:
            splat_ply.write(part, growing_splats.glimpse(trainer.model.to_arrays()))
        job.preview(path)


def _train(job: Job[SplatsOptions], trainer: Trainer) -> None:
    config = trainer.config
    job.stage("Training", 2, 3, trainer.step)
    evaluations, previews = _marks(config, config.evaluations), _marks(config, config.previews)
    last_save, wait, smooth = time.monotonic(), min(5.0, kept_stage.SECONDS), 0.0
    metrics: dict[str, float] = dict(trainer.curve[-1]) if trainer.curve else {}
    while trainer.step < config.steps:
        loss = training.train_step(trainer)
        smooth = loss if smooth == 0 else 0.95 * smooth + 0.05 * loss
        if trainer.step in evaluations:
            if not training.is_finite(trainer):
                raise SplatsmithError(
                    "The training diverged.", "Check the capture's cameras, or try another seed."
                )
            metrics = evaluate(trainer)
            trainer.curve.append(
                {
                    "step": trainer.step,
                    **metrics,
                    "splats": len(trainer.model),
                    "cpu_seconds": round(job.watch.cpu(), 1),
                }
            )
        if trainer.step in previews:
            _show(job, trainer)
        if time.monotonic() - last_save > wait and trainer.step < config.steps:
            _save(job, trainer)
            last_save, wait = time.monotonic(), kept_stage.SECONDS
        shown = {k: metrics[k] for k in MEASURED if k in metrics}
        try:
            job.progress(
                trainer.step, config.steps, loss=smooth, splats=len(trainer.model), **shown
            )
        except SplatsmithError:  # cancelled: what was reached is kept
            _save(job, trainer)
            raise
    _save(job, trainer)  # what comes now can be stopped too, and is quickly done again


def run(job: Job[SplatsOptions]) -> Outcome:
    """Leaves splats.ply, heldout.png and curve.json in the job's output."""
    options = job.options
    job.stage("Loading the pictures", 1, 3)
    source = capture.read(Path(job.request.input))
    trainer = _prepare(job, make_config(job.request.preset, options), source)
    _train(job, trainer)
    job.stage("Writing the splats", 3, 3)
    views, dropped = drop_unsupported(trainer)
    arrays = _marked(trainer, views)
    arrays.notes = replace(arrays.notes, source=from_offset(source.reading.world.offset))
    splat_ply.write(job.folder.staging / "splats.ply", arrays, (f"Splatsmith {VERSION}",))
    save_side_by_side(trainer, job.folder.staging / "heldout.png")
    atomic.write_json(job.folder.staging / "curve.json", trainer.curve)
    quality = evaluate(trainer)
    metrics = {**quality, "splats": float(len(trainer.model)), "steps": float(trainer.step)}
    details = {
        "picture": list(trainer.views.full[0].size),
        "rasterizer": rasterizer_name(trainer.model.means.device),
        "exposure": trainer.config.exposure,
        "blend": trainer.config.blend,
        "unsupported": dropped,
        "novel_views": len(trainer.novel),
        "curve": trainer.curve,
    }
    return Outcome(_summary(trainer, quality), metrics, details)


def _summary(trainer: Trainer, quality: dict[str, float]) -> str:
    """How many splats, and how right they are between the cameras and beyond them."""
    parts = [f"{len(trainer.model):,} splats"]
    for key, where, held in (
        ("", "between the cameras", trainer.views.held_out),
        ("beyond_", "beyond them", trainer.views.beyond),
    ):
        if f"{key}psnr" in quality:
            score = f"{quality[f'{key}psnr']:.2f} dB and SSIM {quality[f'{key}ssim']:.3f}"
            pictures = f"{len(held)} held-out picture{'s' * (len(held) > 1)}"
            parts.append(f"{where} {score} on {pictures}")
        elif quality or key:
            parts.append(f"{where} not measured")
    return ", ".join(parts[:1]) + (f": {'; '.join(parts[1:])}" if quality else "")
