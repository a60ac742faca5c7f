"""The verb `register`: a mesh a frame in, one animated mesh out."""

from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from ..formats import mesh_frames, mesh_sequence
from ..formats.mesh_sequence import MeshSequence
from ..protocol import InputError
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from ..runtime.threads import one_thread
from .deformation.registration import RegistrationConfig, register, welded
from .register_verb import RegisterOptions

FAR = 0.02  # of the box: a mean distance beyond which a frame was not followed


def run(job: Job[RegisterOptions]) -> Outcome:
    """Leaves mesh.npz: the first mesh, as it follows the others."""
    options = job.options
    job.stage("Following the meshes", 1, 1)
    source = mesh_frames.read(Path(job.request.input))
    if len(source.frames) < 2:
        raise InputError("There is only one mesh: nothing moves.", "Choose a sequence of meshes.")
    meshes = [welded(f.vertices, f.faces.astype(np.int64)) for f in source.frames]
    if any(len(faces) == 0 for _, faces in meshes):
        raise InputError("One of the meshes is empty or flat to a point.", "Leave it out.")
    with one_thread():
        config = RegistrationConfig(faces=options.faces)
        registered = register(meshes, config, job.progress, StageKeeper(job))
    worst = int(registered.distances.argmax())
    if registered.distances[worst] > FAR:
        job.warn(
            "LOST",
            f"Frame {worst + 1} was not followed closely: the mesh is off by "
            f"{registered.distances[worst]:.1%} of the size there.",
        )
    nearest = source.frames[0].colors[
        KDTree(source.frames[0].vertices).query(registered.positions[0])[1]
    ]
    sequence = MeshSequence(
        rest=registered.positions[0],
        faces=registered.surface.faces.astype(np.int32),
        positions=registered.positions,
        seconds=source.seconds,
        colors=nearest,
    )
    mesh_sequence.write(job.folder.staging / mesh_sequence.NAME, sequence)
    mean = float(registered.distances.mean())
    summary = (
        f"{len(sequence.rest):,} vertices follow {len(meshes)} meshes, off by {mean:.2%} of the "
        f"size in the mean"
    )
    return Outcome(
        summary,
        {
            "distance": mean,
            "worst_distance": float(registered.distances.max()),
            "vertices": float(len(sequence.rest)),
        },
    )
