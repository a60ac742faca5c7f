"""The verb `register`: what it can be told."""

from dataclasses import dataclass

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class RegisterOptions:
    """What the verb can be told."""

    faces: int = option(10_000, "most triangles of the mesh that follows the others", 100, 500_000)


VERB = Verb(
    name="register",
    title="Fix Topology",
    options=RegisterOptions,
    help="make one animated mesh of a sequence whose meshes have nothing in common but their shape",
    description=(
        "--input is a mesh_frames.npz, as `mesh --mode free` leaves it, or Blender's side of a "
        "folder of files. --output receives\n"
        "mesh.npz: the first mesh, as it follows the others."
    ),
    example="python -m backend register --input walk-free/mesh_frames.npz --output walk-followed",
    run="dynamic_mesh.register_job",
)
