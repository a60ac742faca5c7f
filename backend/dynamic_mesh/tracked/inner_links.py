"""Links between nodes through the inside of the object. Nodes on the skin alone are a hollow shell,
which gives way; with these, the side that no picture shows goes with the side that one does.
"""

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial import cKDTree

from ..deformation.nodes import NodeGraph, stiffness_of
from ..surfaces.surface import Surface

MOST = 4  # of one node
STEEP = 0.5  # cosine to the normal at both ends: a link leads through, not along below the skin
SAMPLES = np.linspace(0.1, 0.9, 5)[:, None]  # of its way, all inside


def linked(graph: NodeGraph, surface: Surface) -> NodeGraph:
    """Nodes on a surface, each tied to the nearest few on the other side too, where all between
    them is inside. Legs stay apart.
    """
    rest, vertices, normals = (
        graph.rest.double().cpu().numpy(),
        surface.vertices.astype(np.float64),
        surface.vertex_normals(),
    )
    tree = cKDTree(vertices)
    apart = rest[None] - rest[:, None]
    length = np.linalg.norm(apart, axis=-1)
    enters = np.einsum("nc,nmc->nm", normals[tree.query(rest)[1]], apart) < -STEEP * length
    one, other = np.nonzero(enters & enters.T)
    places = rest[one, None] + apart[one, other][:, None] * SAMPLES
    nearest = tree.query(places)[1]
    through = (((places - vertices[nearest]) * normals[nearest]).sum(-1) < 0).all(1)
    distances = np.full(length.shape, np.inf)
    distances[one[through], other[through]] = length[one, other][through]
    shortest, tied = (
        torch.from_numpy(distances).float().to(graph.rest).topk(min(MOST, len(rest)), largest=False)
    )
    near = (graph.rest[graph.neighbors] - graph.rest[:, None]).norm(dim=-1)
    stiffness = stiffness_of(shortest, near.median())
    return replace(
        graph,
        neighbors=torch.cat([graph.neighbors, tied], 1),
        stiffness=torch.cat([graph.stiffness, stiffness], 1),
    )
