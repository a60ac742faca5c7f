"""A rasteriser in plain torch: the reference that the kernels are tested against, and the path
where no kernel fits.

Any device, any float type, gradients by autograd; about fifty times slower than the kernels.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .along_rays import at, met_at
from .options import Drawables, RasterOptions, RasterView
from .projection import Projection, project, shade

TILE = 16
PAIR_BUDGET = 4_000_000  # (Gaussian, pixel) pairs held at once


@dataclass(frozen=True, kw_only=True)
class TileLists:
    """Gaussians per tile, front to back: those of tile t are ids[start[t] : start[t] +
    count[t]].
    """

    ids: Tensor
    start: Tensor
    count: Tensor
    columns: int
    rows: int


def list_per_tile(projection: Projection, width: int, height: int) -> TileLists:
    """Sorts the visible Gaussians by depth and lists each in every tile that its extent touches."""
    columns, rows = -(-width // TILE), -(-height // TILE)
    visible = projection.visible.nonzero()[:, 0]
    visible = visible[torch.argsort(projection.depths[visible], stable=True)]
    low = ((projection.means2d - projection.extents)[visible] / TILE).floor()
    high = ((projection.means2d + projection.extents)[visible] / TILE).floor() + 1
    x0, x1 = low[:, 0].clamp(0, columns).long(), high[:, 0].clamp(0, columns).long()
    y0, y1 = low[:, 1].clamp(0, rows).long(), high[:, 1].clamp(0, rows).long()
    across = x1 - x0
    pairs = across * (y1 - y0)
    owner = torch.repeat_interleave(torch.arange(len(visible), device=visible.device), pairs)
    nth = torch.arange(len(owner), device=visible.device) - (pairs.cumsum(0) - pairs)[owner]
    tile = (y0[owner] + nth // across[owner]) * columns + x0[owner] + nth % across[owner]
    by_tile = torch.argsort(tile, stable=True)
    count = torch.bincount(tile, minlength=columns * rows)
    return TileLists(
        ids=visible[owner[by_tile]],
        start=count.cumsum(0) - count,
        count=count,
        columns=columns,
        rows=rows,
    )


def shape_size(options: RasterOptions) -> int:
    """How many features come before the values to blend."""
    return 19 if options.traced else 6


def blend(
    features: Tensor, present: Tensor, pixels: Tensor, options: RasterOptions
) -> tuple[Tensor, Tensor]:
    """Front-to-back compositing (Kerbl et al. 2023, eq. 3) of T tiles with at most G Gaussians.

    features (T, G, 6 + D): centre, conic, opacity, then, where traced, how rays meet it (bend,
    ends, depth), then the values to blend; present (T, G) bool; pixels (T, P, 2). Returns (T, P, D)
    and the transmittance (T, P).
    """
    x, y, A, B, C, opacity = features[..., :6, None].unbind(2)
    dx, dy = x - pixels[:, None, :, 0], y - pixels[:, None, :, 1]
    sigma = 0.5 * (A * dx * dx + C * dy * dy) + B * dx * dy
    drawn = present[..., None]
    if options.traced:
        bend, ends, depth = features[:, :, None, 6:19].detach().split([6, 6, 1], -1)
        sigma = sigma / at(bend, dx, dy).detach().clamp_min(1e-6)
        met = met_at(bend, depth[..., 0], dx, dy).detach()
        drawn = drawn & (at(ends, dx, dy) >= 0) & (met > options.near_plane)
        order = torch.argsort(met, dim=1, stable=True)
    alpha = (opacity * torch.exp(-sigma.clamp_min(0))).clamp(max=options.max_alpha)
    alpha = torch.where(drawn & (alpha >= options.alpha_threshold), alpha, 0)
    if options.traced:
        alpha = alpha.gather(1, order)
    with torch.no_grad():
        live = torch.cumprod(1 - alpha, 1) > options.min_transmittance
        live = torch.cumprod(live.to(torch.uint8), 1).bool()  # once stopped, a pixel stays stopped
    alpha = torch.where(live, alpha, 0)
    after = torch.cumprod(1 - alpha, 1)
    weights = alpha * torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], 1)
    if options.traced:
        weights = torch.zeros_like(weights).scatter(1, order, weights)
    values = features[..., shape_size(options) :]
    return torch.einsum("tgp,tgd->tpd", weights, values), after[:, -1]


def _chunks(count: Tensor) -> list[Tensor]:
    """Groups of tiles of like length, each within the pair budget."""
    order = torch.argsort(count)
    order = order[count[order] > 0]
    lengths = count[order].tolist()
    groups, begin = [], 0
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or (end + 1 - begin) * lengths[end] * TILE * TILE > PAIR_BUDGET:
            groups.append(order[begin:end])
            begin = end
    return groups


def _gather(
    features: Tensor, lists: TileLists, tiles: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    nth = torch.arange(int(lists.count[tiles].max()), device=features.device)
    present = nth < lists.count[tiles][:, None]
    ids = lists.ids[(lists.start[tiles][:, None] + nth).clamp(max=len(lists.ids) - 1)]
    inside = torch.arange(TILE * TILE, device=features.device)
    base = torch.stack([inside % TILE, inside // TILE], -1) + 0.5
    corner = torch.stack([tiles % lists.columns, tiles // lists.columns], -1) * TILE
    return features[ids], present, (base[None] + corner[:, None]).to(features.dtype), ids


class _BlendTiles(torch.autograd.Function):
    """Blends tile groups one after the other and again in the backward pass, so memory stays within
    the budget.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, lists: TileLists, options: RasterOptions
    ) -> tuple[Tensor, Tensor]:
        tiles = len(lists.count)
        values = features.new_zeros(tiles, TILE * TILE, features.shape[1] - shape_size(options))
        transmittance = features.new_ones(tiles, TILE * TILE)
        ctx.lists, ctx.options, ctx.groups = lists, options, _chunks(lists.count)
        ctx.save_for_backward(features)
        for group in ctx.groups:
            gathered, present, pixels, _ = _gather(features, lists, group)
            values[group], transmittance[group] = blend(gathered, present, pixels, options)
        return values, transmittance

    @staticmethod
    def backward(ctx, *upstream: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        v_values, v_transmittance = upstream
        (features,) = ctx.saved_tensors
        total = torch.zeros_like(features)
        for group in ctx.groups:
            gathered, present, pixels, ids = _gather(features, ctx.lists, group)
            with torch.enable_grad():
                gathered = gathered.detach().requires_grad_(True)
                outputs = blend(gathered, present, pixels, ctx.options)
                (part,) = torch.autograd.grad(
                    outputs, gathered, (v_values[group], v_transmittance[group])
                )
            total.index_add_(0, ids.flatten(), (part * present[..., None]).flatten(0, 1))
        return total, None, None


def rasterize_view(
    gaussians: Drawables, view: RasterView, options: RasterOptions
) -> tuple[Tensor, Tensor, Projection]:
    """One view. Returns the picture (H, W, D + 1), whose last channel is blended depth, alpha (H,
    W), the projection.
    """
    projection = project(gaussians, view, options)
    values = torch.cat([shade(gaussians, view), projection.depths[:, None]], 1)
    shapes = [projection.means2d, projection.conics, projection.opacities[:, None]]
    if (met := projection.meetings) is not None:
        shapes += [met.bend, met.ends, met.depth[:, None]]
    features = torch.cat([*shapes, values], 1)
    with torch.no_grad():
        drawn = projection.visible & values.isfinite().all(1)
        projection = replace(projection, visible=drawn)
        lists = list_per_tile(projection, view.width, view.height)
    blended, transmittance = _BlendTiles.apply(features, lists, options)

    def image(tiles: Tensor) -> Tensor:
        grid = tiles.reshape(lists.rows, lists.columns, TILE, TILE, -1).transpose(1, 2)
        return grid.flatten(2, 3).flatten(0, 1)[: view.height, : view.width]

    left = image(transmittance[..., None])
    extended = torch.cat(
        [view.background, view.background.new_zeros(1)]
    )  # nothing lies behind at a known depth
    return image(blended) + left * extended, 1 - left[..., 0], projection
