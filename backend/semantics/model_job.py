"""The verb `model`: fetches a network that the user has agreed to, whole or not at all."""

import os
from pathlib import Path

from ..networks.download import fetch
from ..networks.registry import BY_NAME, HUB, PURPOSES, PublishedModel
from ..protocol import DiskError, InputError
from ..runtime import atomic, disk, network
from ..runtime.job import Job, Outcome
from .model_verb import ModelOptions


def run(job: Job[ModelOptions]) -> Outcome:
    """Leaves the model's folder under the input folder, and its path and purpose in model.json."""
    model = BY_NAME[job.options.name]
    if not job.options.agree:
        raise InputError(
            f"{model.title} is a download of {model.size} from {model.page}, licence "
            f"{model.licence}.",
            "Give --agree to fetch it.",
        )
    folder = Path(job.request.input) / model.name
    if not all((folder / Path(name).name).is_file() for name in model.files):
        network.demand(f"Fetching {model.title}")
        _fetch(job, model, folder)
    told = {"model": str(folder.resolve()), "name": model.name, "purpose": model.purpose}
    atomic.write_json(job.folder.staging / "model.json", told)
    return Outcome(f"{model.title} is in {folder}, for {PURPOSES[model.purpose][1]}", {})


def _fetch(job: Job[ModelOptions], model: PublishedModel, folder: Path) -> None:
    have = disk.size_of(folder) if folder.is_dir() else 0
    disk.shortage(folder, 0, max(0.0, model.megabytes * 1e6 - have))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(model.files, 1):
            job.stage(f"Fetching {Path(name).name}", number, len(model.files))
            url = f"{os.environ.get('HF_ENDPOINT', HUB)}/{model.repository}/resolve/main/{name}"
            fetch(url, folder / Path(name).name, model.megabytes * 1e6, job.progress)
    except OSError as error:
        raise DiskError(
            f"{error.filename or folder}: {error.strerror or error}.",
            "Free some space, or choose another folder.",
        ) from error
