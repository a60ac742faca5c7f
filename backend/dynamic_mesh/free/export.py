"""The meshes of a finished free-topology fit, cleaned and tied to each other through canonical
space.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from ...formats.mesh_frames import MeshFrame, MeshFrames
from ...protocol import InputError
from ..footage.load import ObjectFootage
from ..surfaces.surface import Surface, largest_parts
from .fit import FreeFit, change_at, colors_of
from .model import deformed, surface_of, to_canonical, to_view


@dataclass(frozen=True)
class FreeMesh:
    """The object at one moment, in the unit box."""

    vertices: Tensor  # (V, 3)
    faces: Tensor  # (F, 3)
    colors: Tensor  # (V, 3) 0..1


@torch.no_grad()
def mesh_of(fit: FreeFit, time: float) -> FreeMesh | None:
    """None where the Gaussians enclose nothing."""
    now = deformed(fit.model.gaussians, change_at(fit, time))
    mesh = surface_of(now, fit.model.level, fit.config.poisson)
    if mesh is None:
        return None
    surface = _clean(mesh)
    vertices = torch.from_numpy(surface.vertices).to(now.means.device)
    return FreeMesh(
        vertices,
        torch.from_numpy(surface.faces).to(now.means.device),
        colors_of(fit.model, vertices, time),
    )


def _clean(mesh: tuple[Tensor, Tensor]) -> Surface:
    return largest_parts(Surface(mesh[0].cpu().numpy().astype(np.float32), mesh[1].cpu().numpy()))


@torch.no_grad()
def to_frames(fit: FreeFit, footage: ObjectFootage) -> MeshFrames:
    """In the capture's world, at every moment at which there is a mesh; InputError where there is
    none at all.
    """
    rest = surface_of(fit.model.gaussians, fit.model.level, fit.config.poisson)
    meshes = [
        (time, index, mesh)
        for time, index in footage.distinct
        if (mesh := mesh_of(fit, time)) is not None
    ]
    if rest is None or not meshes:
        raise InputError(
            "The pictures do not agree on any solid object.",
            "Check the masks and the cameras, or choose the tracked mode.",
        )
    canonical = _clean(rest)
    tree, places = (
        KDTree(canonical.vertices),
        torch.from_numpy(canonical.vertices).to(fit.model.level.device),
    )
    radius, frames, tracks, seconds = footage.placement.radius, [], [], []
    for time, index, mesh in meshes:
        center = footage.placement.centers[index]
        ids = tree.query(to_canonical(fit.model, mesh.vertices, time).cpu().numpy())[1]
        world = radius * mesh.vertices.cpu().double().numpy() + center
        frames.append(
            MeshFrame(
                np.asarray(world, np.float32),
                mesh.faces.cpu().numpy().astype(np.int32),
                mesh.colors.cpu().numpy(),
                np.asarray(ids, np.int32),
            )
        )
        tracks.append(
            np.asarray(
                radius * to_view(fit.model, places, time).cpu().double().numpy() + center,
                np.float32,
            )
        )
        seconds.append(footage.seconds[index])
    at_rest = np.asarray(radius * canonical.vertices + footage.placement.centers[0], np.float32)
    return MeshFrames(
        frames=frames,
        seconds=np.array(seconds),
        canonical=at_rest,
        canonical_faces=canonical.faces.astype(np.int32),
        canonical_tracks=np.stack(tracks),
    )


@torch.no_grad()
def cycle_error(fit: FreeFit, times: list[float]) -> float:
    """Mean distance, in units of the box, between places and where they are after the way there and
    back.
    """
    places = fit.model.gaussians.means
    return float(
        np.mean(
            [
                float(
                    (to_canonical(fit.model, to_view(fit.model, places, t), t) - places)
                    .norm(dim=1)
                    .mean()
                )
                for t in times
            ]
        )
    )
