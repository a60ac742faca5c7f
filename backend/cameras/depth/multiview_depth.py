"""Dense depth with the cameras frozen: FlowMap's loss over depth alone (paper, section 3, with
poses and focal given).

With poses known the loss falls apart into pixels. Each starts from the inverse depth that its flows
to the neighbouring pictures ask for in closed form, and goes downhill from there on the robust
loss, tied to its neighbours where the picture has no edge.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

TINY = 1e-9
# of the largest weight, that the coarser level counts for where holes are filled
FILL_SHARE = 0.002


@dataclass(frozen=True, kw_only=True)
class FrozenConfig:
    """Pixels are those of the depth map."""

    steps: int = 10
    rate: float = 0.03
    delta: float = 0.7  # pixels from which a flow counts as an outlier
    noise: float = 0.35  # pixels by which flow is usually wrong
    # colour (0..1); flow is wrong by this over the slope of the picture along its way, besides
    grain: float = 0.01
    window: int = 7  # pixels that DIS compares at once, about
    smooth: float = 0.15
    edge: float = 0.06  # difference of colours (0..1) at which the tie has loosened to 1 / e
    sure: float = 0.06  # relative standard deviation up to which a depth is believed
    hold: float = 0.03  # relative; how closely believed points of the tracks are kept


@dataclass(frozen=True, kw_only=True)
class DepthView:
    """One picture, and where its pixels went in m neighbours. OpenCV axes, K in pixels of the depth
    map.
    """

    color: Tensor  # (h, w, 3) 0..1
    K: Tensor  # (3, 3)
    neighbor_ks: Tensor  # (m, 3, 3)
    to_neighbor: Tensor  # (m, 4, 4) from this camera's axes to the neighbour's
    there: Tensor  # (m, h, w, 2) pixels in the neighbour
    trust: Tensor  # (m, h, w)
    sparse_at: Tensor  # (s, 2) pixels, points known from tracks
    sparse_depth: Tensor  # (s,)


@dataclass(frozen=True)
class DepthMap:
    """`sigma`: relative standard deviation of the depth; infinite where no flow could tell."""

    depth: Tensor  # (h, w)
    sigma: Tensor  # (h, w)


def rays(K: Tensor, height: int, width: int) -> Tensor:
    """(h, w, 3) with z = 1."""
    v, u = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], torch.ones_like(u)], -1)


def _lines(view: DepthView) -> tuple[Tensor, Tensor]:
    """(m, h, w, 3) `far` + inverse depth * `shift` is the pixel's point in the neighbour, up to its
    depth.
    """
    height, width = view.color.shape[:2]
    far = rays(view.K, height, width) @ view.to_neighbor[:, None, :3, :3].transpose(-1, -2)
    return far, view.to_neighbor[:, None, None, :3, 3].expand_as(far)


def _texture(color: Tensor, window: int) -> Tensor:
    """(3, h, w) mean of gx gx, gx gy and gy gy around every pixel, g the slope of its brightness a
    pixel.
    """
    gray = color.mean(-1)
    down, across = torch.gradient(gray)
    products = torch.stack([across * across, across * down, down * down])
    return avg_pool2d(products[None], window, 1, window // 2, count_include_pad=False)[0]


def only_textured(view: DepthView, config: FrozenConfig) -> DepthView:
    """Flow is smooth, and agrees there and back, over blank wall and sky as well, where it knows
    nothing. Trust is lowered to what the picture's slope along the way of the pixel can tell: the
    variance of a step is the noise's over the slope's.
    """
    slope, _ = _motion(view)
    along = slope / slope.norm(dim=-1, keepdim=True).clamp(min=TINY)
    xx, xy, yy = _texture(view.color, config.window)
    steep = (
        along[..., 0] ** 2 * xx + 2 * along[..., 0] * along[..., 1] * xy + along[..., 1] ** 2 * yy
    )
    spread = config.grain**2 / steep.clamp(min=TINY**2)
    return replace(view, trust=view.trust * config.noise**2 / (config.noise**2 + spread))


def _motion(view: DepthView) -> tuple[Tensor, Tensor]:
    """(m, h, w, 2) `slope` * inverse depth + `start` = 0 where the pixel's point falls where the
    flow says.
    """
    far, shift = _lines(view)
    K = view.neighbor_ks[:, None, None]
    seen = (view.there - K[..., :2, 2]) / torch.stack([K[..., 0, 0], K[..., 1, 1]], -1)
    return shift[..., :2] - seen * shift[..., 2:], far[..., :2] - seen * far[..., 2:]


def _offset(point: Tensor, view: DepthView) -> Tensor:
    """(m, h, w, 2) pixels between where points (m, h, w, 3) fall in the neighbours and where the
    flow says.
    """
    z = point[..., 2:].clamp(min=1e-4)
    K = view.neighbor_ks[:, None, None]
    focal, center = torch.stack([K[..., 0, 0], K[..., 1, 1]], -1), K[..., :2, 2]
    return point[..., :2] / z * focal + center - view.there


def closed_form(view: DepthView, config: FrozenConfig, guess: Tensor) -> tuple[Tensor, Tensor]:
    """Inverse depth (h, w) by iteratively reweighted least squares over the neighbours, and its
    information (1 / variance).
    """
    far, shift = _lines(view)
    slope, start = _motion(view)
    focal = view.neighbor_ks[:, 0, 0][:, None, None]
    inverse = guess
    for _ in range(4):
        point = far + inverse[..., None] * shift
        miss = _offset(point, view).norm(dim=-1)
        weight = (
            view.trust
            / (1 + (miss / (2 * config.delta)) ** 2)
            * (focal / point[..., 2].clamp(min=1e-3)) ** 2
        )
        information = (weight * (slope * slope).sum(-1)).sum(0)
        inverse = -(weight * (slope * start).sum(-1)).sum(0) / information.clamp(min=TINY)
        inverse = torch.where(information > TINY, inverse, guess).clamp(min=1e-6)
    return inverse, information / config.noise**2


def fill(value: Tensor, weight: Tensor) -> Tensor:
    """(h, w) weighted values spread into places without weight, coarser and coarser until all is
    full.
    """
    levels = [(value * weight, weight)]
    while min(levels[-1][1].shape) > 2:
        levels.append(tuple(avg_pool2d(t[None, None], 2, ceil_mode=True)[0, 0] for t in levels[-1]))  # type: ignore[arg-type]
    total, mass = levels[-1]
    full = (total.sum() / mass.sum().clamp(min=TINY)).expand_as(mass)
    prior = (FILL_SHARE * weight.max()).clamp(min=TINY)
    for total, mass in reversed(levels):
        coarse = torch.nn.functional.interpolate(
            full[None, None], mass.shape, mode="bilinear", align_corners=False
        )[0, 0]
        full = (total + prior * coarse) / (mass + prior)
    return full


def _sparse(view: DepthView, config: FrozenConfig) -> tuple[Tensor, Tensor]:
    """(h, w) log depth and weight of the track points, each at its pixel."""
    height, width = view.color.shape[:2]
    column, row = (
        view.sparse_at[:, 0].long().clamp(0, width - 1),
        view.sparse_at[:, 1].long().clamp(0, height - 1),
    )
    logs, weight = torch.zeros(height, width), torch.zeros(height, width)
    logs[row, column], weight[row, column] = view.sparse_depth.log(), 1 / config.hold**2
    return logs, weight


def _ties(color: Tensor, config: FrozenConfig) -> tuple[Tensor, Tensor]:
    """How strongly pixels hold together, along rows (h, w - 1) and columns (h - 1, w)."""
    across, down = color.diff(dim=1).norm(dim=-1), color.diff(dim=0).norm(dim=-1)
    return torch.exp(-across / config.edge), torch.exp(-down / config.edge)


def solve_depth(view: DepthView, config: FrozenConfig) -> DepthMap:
    """Depth of one picture."""
    view = only_textured(view, config)
    known, known_weight = _sparse(view, config)
    middle = view.sparse_depth.median() if len(view.sparse_depth) else torch.tensor(1.0)
    guess = (
        (-fill(known, known_weight)).exp()
        if len(view.sparse_depth)
        else torch.full(known.shape, 1 / float(middle))
    )
    inverse, information = closed_form(view, config, guess)
    sigma = 1 / (inverse * information.clamp(min=TINY).sqrt())
    believed = (sigma < 4 * config.sure).float() / sigma.clamp(min=0.005) ** 2
    start = fill(torch.where(believed > 0, -inverse.log(), known), believed + known_weight)
    log_depth = _descend(start, view, config, known, known_weight > 0)
    residual = _offset(
        _lines(view)[0] + (-log_depth).exp()[..., None] * _lines(view)[1], view
    ).norm(dim=-1)
    explained = (view.trust * (residual < 3 * config.delta)).sum(0)
    return DepthMap(log_depth.exp(), torch.where(explained > 0.5, sigma, torch.inf))


def _descend(
    start: Tensor, view: DepthView, config: FrozenConfig, known: Tensor, is_known: Tensor
) -> Tensor:
    """Adam on the robust flow loss, the ties, and the track points."""
    far, shift = _lines(view)
    across, down = _ties(view.color, config)
    log_depth = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([log_depth], lr=config.rate)
    count = start.numel()
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.rate * (1 - step / config.steps)
        miss = _offset(far + (-log_depth).exp()[..., None] * shift, view).square().sum(-1)
        flow = (view.trust * ((1 + miss / config.delta**2).sqrt() - 1)).sum() / count
        tie = (across * (log_depth.diff(dim=1).square() + 1e-6).sqrt()).sum() + (
            down * (log_depth.diff(dim=0).square() + 1e-6).sqrt()
        ).sum()
        held = ((log_depth - known)[is_known] / config.hold).abs().sum() / count
        loss = flow + config.smooth * tie / count / 0.05 + held
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return log_depth.detach()
