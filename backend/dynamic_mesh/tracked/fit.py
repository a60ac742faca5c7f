"""Fits a template and its motion to the footage: stiff first, then free; coarse pictures first."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..deformation.motion import (
    MotionConfig,
    NodeMotion,
    rigidity,
    skinned,
    speeds,
    transferred,
)
from ..deformation.nodes import NodeGraph, build
from ..footage.point_tracks import partners, track_loss
from ..footage.timed_views import PyramidLevel, TimedView, static_prior
from ..optimization.image_loss import image_loss
from ..optimization.missed import missed_loss
from ..surfaces.anchoring import AnchorConfig
from ..surfaces.mesh_rasterizer import (
    Fragments,
    Topology,
    depth_image,
    find_topology,
    fragments,
    interpolate,
    project,
    render_image,
)
from ..surfaces.preconditioned import SmoothVertices, Umbrella, smooth_vertices, umbrella
from ..surfaces.surface import Surface
from .anchored import AnchoredGaussians, draw
from .inner_links import linked


@dataclass(frozen=True, kw_only=True)
class FitWeights:
    """Of the losses. `rigid` and `slow` fall to `fade` of themselves until `fade_until` of the
    way.
    """

    mask: float = 5.0
    color: float = 10.0
    depth: float = 0.5
    rigid: float = 400.0
    fade: float = 0.25
    fade_until: float = 0.7
    smooth: float = 480.0
    track: float = 20.0
    splat: float = 0.5  # of the anchored Gaussians' picture, against the mesh's
    slow: float = 0.3
    slow_whole: float = 2.0
    missed: float = 0.0  # what pictures show where the mesh is not


@dataclass(frozen=True, kw_only=True)
class TrackedFitConfig:
    """`half_until`: share of the steps in which pictures are half their size; `shape_from`: from
    which the template changes.
    """

    steps: int = 3000
    nodes: int = 80
    half_until: float = 0.4
    shape_from: float = 0.05
    inertia: float = 15.0  # of the vertices' coordinates
    shape_rate: float = 6e-3
    motion_rate: float = 1e-3
    color_rate: float = 3e-2
    width_rate: float = 5e-3
    together: int = 8  # tracks that two moments share, to be compared
    track_reach: float = 0.04  # in units of the box, beyond which a track is taken for wrong
    splat_every: int = 2  # steps
    splat_until: float = 0.1  # share of the steps: soft pictures find the way, sharp ones the place
    missed_until: float = 0.8  # share of the steps
    nodes_anew: float = 0.0  # share of the steps, after which they are spread over what has grown
    anchor: AnchorConfig = field(default_factory=AnchorConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    weights: FitWeights = field(default_factory=FitWeights)


def for_gait(config: TrackedFitConfig) -> TrackedFitConfig:
    """For what walks: its limbs are drawn to where pictures show them, and held back less."""
    weights = replace(config.weights, rigid=100.0, slow=0.03, missed=100.0)
    return replace(config, motion_rate=2e-3, nodes_anew=0.4, weights=weights)


@dataclass(kw_only=True)
class Fit:
    """A fit at one step. Make one with `begin`."""

    config: TrackedFitConfig
    surface: Surface
    views: list[TimedView]
    faces: Tensor
    topology: Topology
    graph: NodeGraph
    shape: SmoothVertices
    motion: NodeMotion
    colors: Tensor  # (V, 3) before the sigmoid
    anchored: AnchoredGaussians
    laplacian: Umbrella
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    partners: list[Tensor]  # for each moment, those that share tracks with it
    still: float  # how much the whole is believed to stand
    step: int = 0

    @property
    def share(self) -> float:
        """How much of the steps is done, 0 to 1."""
        return self.step / self.config.steps

    def at(self, time: float, vertices: Tensor | None = None) -> Tensor:
        """(V, 3) of the mesh at a time."""
        return skinned(
            self.shape.vertices() if vertices is None else vertices,
            self.graph,
            self.motion.at(time),
        )


def begin(
    surface: Surface,
    graph: NodeGraph,
    views: list[TimedView],
    config: TrackedFitConfig,
    seed: int,
    motion: NodeMotion,
    anchored: AnchoredGaussians,
) -> Fit:
    """At step 0, with the motion of the nodes that was found along with the template."""
    device = views[0].viewmat.device
    shape = smooth_vertices(surface, config.inertia, str(device))
    colors = torch.zeros(len(surface.vertices), 3, device=device, requires_grad=True)
    optimizer = _adam(shape, motion, colors, anchored)
    generator = torch.Generator().manual_seed(seed)
    faces = torch.from_numpy(surface.faces).to(device)
    flat = umbrella(surface, str(device))
    return Fit(
        config=config,
        surface=surface,
        views=views,
        faces=faces,
        topology=find_topology(faces),
        graph=graph,
        shape=shape,
        motion=motion,
        colors=colors,
        anchored=anchored,
        laplacian=flat,
        optimizer=optimizer,
        generator=generator,
        partners=partners(views, config.together),
        still=static_prior(views),
    )


def _adam(
    shape: SmoothVertices, motion: NodeMotion, colors: Tensor, anchored: AnchoredGaussians
) -> torch.optim.Optimizer:
    groups = [
        {"params": [shape.u], "name": "shape"},
        {"params": [motion.rotations, motion.translations], "name": "nodes"},
        {"params": [motion.global_rotation, motion.global_translation], "name": "whole"},
        {"params": [colors], "name": "colors"},
        {"params": [anchored.opacity_logits, anchored.colors], "name": "colors"},
        {"params": [anchored.log_widths], "name": "widths"},
    ]
    return torch.optim.Adam(groups, lr=1e-3, betas=(0.9, 0.99))


def spread_nodes(fit: Fit) -> None:
    """Nodes anew, evenly over the mesh as it is by now: a leg that has grown out of a stump gets
    its own. The motion stays.
    """
    device = fit.faces.device
    vertices = fit.shape.vertices().detach()
    surface = Surface(vertices.cpu().numpy(), fit.surface.faces)
    graph = linked(build(surface, fit.config.nodes), surface).to(device)
    fit.motion = transferred(fit.graph, vertices, fit.motion, graph)
    fit.surface, fit.graph = surface, graph
    fit.shape = smooth_vertices(surface, fit.config.inertia, str(device))
    fit.optimizer = _adam(fit.shape, fit.motion, fit.colors, fit.anchored)


def _rates(fit: Fit) -> dict[str, float]:
    config, share = fit.config, fit.share
    decay = 1.0 if share < 0.5 else 0.1 ** ((share - 0.5) / 0.5)
    return {
        "shape": config.shape_rate * decay * (share >= config.shape_from),
        "nodes": config.motion_rate * decay,
        "whole": config.motion_rate * decay,
        "colors": config.color_rate * decay,
        "widths": config.width_rate * decay,
    }


def _mesh_loss(
    fit: Fit, placed: Tensor, view: TimedView, level: PyramidLevel
) -> tuple[Tensor, Fragments]:
    """Silhouette, colour and depth of the mesh (V, 3) as it stands at a moment; and what is seen of
    it.
    """
    weights = fit.config.weights
    screen = project(placed, fit.faces, view.viewmat, level.K, level.size, fit.topology)
    seen = fragments(screen)
    drawn = render_image(seen, screen, interpolate(seen, fit.faces, fit.colors.sigmoid()))
    loss = image_loss(drawn[..., :3], drawn[..., 3], level, weights.mask, weights.color)
    if level.depth is not None and weights.depth:
        depth = depth_image(seen, screen)
        both = (level.depth > 0) & (depth > 0)
        loss = loss + weights.depth * (depth - level.depth)[both].abs().clamp_max(
            0.3
        ).sum() / level.alpha.sum().clamp_min(1)
    if weights.missed and fit.share < fit.config.missed_until:
        visible, colors = fit.faces[seen.faces].unique(), fit.colors.detach().sigmoid()
        image = (drawn[..., :3].detach(), drawn[..., 3].detach())
        loss = loss + weights.missed * missed_loss(
            placed[visible], colors[visible], image, view, level, fit.generator
        )
    return loss, seen


def _splat_loss(fit: Fit, placed: Tensor, view: TimedView, level: PyramidLevel) -> Tensor:
    weights = fit.config.weights
    return image_loss(
        *draw(fit.anchored, placed, fit.faces, view, level), level, weights.mask, weights.color
    )


def _seen_again(
    fit: Fit, vertices: Tensor, seen: Fragments, index: int, level: PyramidLevel
) -> Tensor:
    """The tracks of one moment at another, drawn from all that share some."""
    others = fit.partners[index]
    there = fit.views[int(others[int(torch.randint(len(others), (1,), generator=fit.generator))])]
    placed = skinned(vertices, fit.graph, fit.motion.at(there.time))
    return track_loss(
        seen, fit.faces, fit.views[index], level, there, placed, fit.config.track_reach
    )


def fit_step(fit: Fit) -> float:
    """One picture: draw, compare, descend. Returns the loss."""
    config, weights = fit.config, fit.config.weights
    if config.nodes_anew and fit.step == round(config.nodes_anew * config.steps):
        spread_nodes(fit)
    rates = _rates(fit)
    for group in fit.optimizer.param_groups:
        group["lr"] = rates[group["name"]]
    index = int(torch.randint(len(fit.views), (1,), generator=fit.generator))
    view = fit.views[index]
    level = view.levels[1 if fit.share < config.half_until else 0]
    vertices = fit.shape.vertices()
    pose = fit.motion.at(view.time)
    placed = skinned(vertices, fit.graph, pose)
    loss, seen = _mesh_loss(fit, placed, view, level)
    if fit.share < config.splat_until and fit.step % config.splat_every == 0:
        loss = loss + weights.splat * config.splat_every * _splat_loss(fit, placed, view, level)
    if len(fit.partners[index]) and weights.track:
        loss = loss + weights.track * _seen_again(fit, vertices, seen, index, level)
    faded = weights.fade ** min(1.0, fit.share / weights.fade_until)
    loss = loss + weights.rigid * faded * rigidity(fit.graph, pose)
    loss = loss + weights.smooth * fit.laplacian(vertices).square().sum(1).mean()
    of_nodes, of_whole = speeds(fit.motion)
    loss = loss + weights.slow * faded * of_nodes + weights.slow_whole * fit.still * of_whole
    fit.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    fit.optimizer.step()
    fit.step += 1
    return float(loss.detach())
