"""The verb `bones`: a mesh sequence without bones in, the same with bones and weights out."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..formats import mesh_sequence
from ..protocol import InputError
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from .bones_verb import BonesOptions
from .deformation.skinning import SkinningConfig, decompose


def run(job: Job[BonesOptions]) -> Outcome:
    """Leaves mesh.npz, whose nodes carry the mesh as closely as so many rigid bones can."""
    options = job.options
    job.stage("Finding bones", 1, 1)
    sequence = mesh_sequence.read(Path(job.request.input))
    if len(sequence.seconds) < 2:
        raise InputError("The mesh has one frame only: nothing moves.", "Choose an animated mesh.")
    size = float(np.ptp(sequence.positions, axis=(0, 1)).max())
    if size <= 0:
        raise InputError("All vertices of the mesh are at one place.", "Choose another mesh.")
    nodes = decompose(
        sequence.positions, SkinningConfig(bones=options.bones), job.progress, StageKeeper(job)
    )
    rest = sequence.positions[0]
    off = np.linalg.norm(mesh_sequence.skinned(rest, nodes) - sequence.positions, axis=2) / size
    mesh_sequence.write(
        job.folder.staging / mesh_sequence.NAME, replace(sequence, rest=rest, nodes=nodes)
    )
    metrics = {
        "bones": float(len(nodes.rest)),
        "rms_error": float(np.sqrt(np.square(off).mean())),
        "worst_error": float(off.max()),
    }
    summary = (
        f"{len(nodes.rest)} bones; vertices are off by {metrics['rms_error']:.2%} of the size in "
        f"the mean, {off.max():.2%} at most"
    )
    return Outcome(summary, metrics)
