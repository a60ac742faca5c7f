"""The CPU kernels as torch functions. The C side is native/splat_kernels.cpp; RasterArgs mirrors
its struct, and kernel_inputs.py says what may be handed over.
"""

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..protocol import InputError
from .kernel_inputs import (
    check_label_count,
    check_labels,
    check_pictures,
    check_scene,
    check_tensor,
)
from .native_library import NativeLibrary, load_native
from .options import Drawables, RasterOptions, RasterView

_Pointer = ctypes.c_void_p


class RasterArgs(ctypes.Structure):
    """Field by field the struct of the same name in splat_kernels.cpp."""

    _fields_ = (
        [
            (name, ctypes.c_int32)
            for name in (
                "count",
                "width",
                "height",
                "sh_coeffs",
                "sh_degree",
                "with_depth",
                "antialiased",
                "traced",
            )
        ]
        + [
            (name, ctypes.c_float)
            for name in (
                "near_plane",
                "far_plane",
                "eps2d",
                "alpha_threshold",
                "max_alpha",
                "min_transmittance",
            )
        ]
        + [
            (name, _Pointer)
            for name in (
                "means",
                "quats",
                "scales",
                "opacities",
                "colors",
                "viewmat",
                "K",
                "background",
            )
        ]
    )


class KernelError(RuntimeError):
    """The kernels had no memory, or a library that isn't ours answered."""


# torch's own words: handled as any other lack of memory
_NO_MEMORY = "DefaultCPUAllocator: can't allocate memory"


def _check(status: int) -> None:
    if status == 1:
        raise InputError(
            "The splats overlap too often: more than two thousand million pairs of a splat and a "
            "piece of the picture.",
            "Choose a smaller resolution, or delete the largest splats.",
        )
    if status:
        raise KernelError(_NO_MEMORY if status == 2 else f"kernel status {status}")


@dataclass
class Kernels:
    """The loaded library with a store of rendering buffers, which are reused from step to step."""

    library: NativeLibrary
    views: list[int]

    @classmethod
    def load(cls, variant: str | None = None) -> "Kernels | None":
        """None where no library fits this machine."""
        library = load_native(variant)
        if library is None:
            return None
        c = library.handle
        c.splat_view_new.restype = c.splat_ssim_new.restype = _Pointer
        c.splat_view_free.argtypes = c.splat_ssim_free.argtypes = [_Pointer]
        c.splat_forward.argtypes = [_Pointer, ctypes.POINTER(RasterArgs), *[_Pointer] * 5]
        c.splat_backward.argtypes = [_Pointer, ctypes.POINTER(RasterArgs), *[_Pointer] * 9]
        c.splat_region_weights.restype = ctypes.c_int64
        c.splat_region_weights.argtypes = [_Pointer] * 4
        c.splat_label_map.argtypes = [*[_Pointer] * 3, ctypes.c_int32, _Pointer, _Pointer]
        c.splat_l1_dssim.argtypes = (
            [_Pointer] * 3 + [ctypes.c_int32] * 2 + [ctypes.c_float] + [_Pointer] * 2
        )
        kernels = cls(library, [])
        kernels.set_threads(
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
        return kernels

    def set_threads(self, count: int) -> None:
        """How many threads the kernels use."""
        self.library.handle.splat_set_threads(count)

    def borrow_view(self) -> int:
        """The view as the C interface takes it; the tensors must outlive it."""
        view = self.views.pop() if self.views else self.library.handle.splat_view_new()
        if not view:
            raise KernelError(_NO_MEMORY)
        return int(view)


class _Borrowed:
    """Gives a view's buffers back once the autograd graph that needs them is gone."""

    def __init__(self, kernels: Kernels) -> None:
        self.kernels, self.view = kernels, kernels.borrow_view()

    def __del__(self) -> None:
        self.kernels.views.append(self.view)


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32).contiguous()


def _arguments(
    tensors: tuple[Tensor, ...], view: RasterView, depth: bool, options: RasterOptions
) -> tuple[RasterArgs, list[Tensor]]:
    """The struct for the Gaussians' tensors and the view's matrix, and the arrays that it points
    into: they must outlive it.
    """
    given = (*tensors, view.K, view.background)
    check_scene(given, view)
    arrays = [_plain(t) for t in given]
    sh_coeffs, sh_degree = (
        (0, -1) if view.sh_degree is None else (arrays[4].shape[1], view.sh_degree)
    )
    args = RasterArgs(
        len(arrays[0]),
        view.width,
        view.height,
        sh_coeffs,
        sh_degree,
        int(depth),
        int(options.rasterize_mode == "antialiased"),
        int(options.traced),
        options.near_plane,
        options.far_plane,
        options.eps2d,
        options.alpha_threshold,
        options.max_alpha,
        options.min_transmittance,
        *[a.data_ptr() for a in arrays],
    )
    return args, arrays


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, ...]:
        *tensors, kernels, view, depth, options = inputs
        args, arrays = _arguments(tuple(tensors), view, depth, options)
        count = len(arrays[0])
        image, alpha = (
            torch.empty(view.height, view.width, 3 + depth),
            torch.empty(view.height, view.width),
        )
        means2d, radii, depths = (
            torch.empty(count, 2),
            torch.empty(count, 2, dtype=torch.int32),
            torch.empty(count),
        )
        borrowed = _Borrowed(kernels)
        outputs = [t.data_ptr() for t in (image, alpha, means2d, radii, depths)]
        _check(kernels.library.handle.splat_forward(borrowed.view, ctypes.byref(args), *outputs))
        ctx.arrays, ctx.args, ctx.borrowed = arrays, args, borrowed
        ctx.mark_non_differentiable(means2d, radii, depths)
        return image, alpha, means2d, radii, depths

    @staticmethod
    def backward(
        ctx: Any, v_image: Tensor, v_alpha: Tensor, *_: Tensor
    ) -> tuple[Tensor | None, ...]:
        grads = [torch.empty_like(a) for a in ctx.arrays[:5]]
        v_means2d, v_viewmat = torch.empty(len(grads[0]), 2), torch.empty(4, 4)
        height, width = ctx.args.height, ctx.args.width
        check_tensor("v_image", v_image, (height, width, 3 + ctx.args.with_depth))
        check_tensor("v_alpha", v_alpha, (height, width))
        upstream = [_plain(v_image), _plain(v_alpha)]
        pointers = [t.data_ptr() for t in (*upstream, *grads, v_means2d, v_viewmat)]
        _check(
            ctx.borrowed.kernels.library.handle.splat_backward(
                ctx.borrowed.view, ctypes.byref(ctx.args), *pointers
            )
        )
        return (*grads, v_viewmat, None, None, None, None)


def rasterize_view(
    kernels: Kernels, gaussians: Drawables, view: RasterView, depth: bool, options: RasterOptions
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """One view of N Gaussians; colors are (N, 3), or harmonics (N, K, 3) with a degree.

    Returns the picture (H, W, 3), with blended depth as a fourth channel if asked for, alpha (H,
    W), and without gradients means2d (N, 2), radii (N, 2) in pixels (0: unseen) and depths (N).
    Gradients reach the Gaussians' arrays and the view's matrix.
    """
    result: tuple[Tensor, Tensor, Tensor, Tensor, Tensor] = _Rasterize.apply(
        *gaussians.tensors(), view.viewmat, kernels, view, depth, options
    )
    return result


def _project(
    kernels: Kernels, gaussians: Drawables, view: RasterView, options: RasterOptions
) -> tuple[RasterArgs, _Borrowed, ctypes.CDLL, list[Tensor]]:
    """Draws the Gaussians once without colour, so that the borrowed view holds their lists; the
    tensors keep them alive.
    """
    plain = replace(gaussians, colors=gaussians.means.new_zeros(len(gaussians.means), 3))
    view = replace(view, sh_degree=None, background=torch.zeros(3))
    args, arrays = _arguments((*plain.tensors(), view.viewmat), view, False, options)
    count, borrowed = len(arrays[0]), _Borrowed(kernels)
    shapes = (
        (view.height, view.width, 3),
        (view.height, view.width),
        (count, 2),
        (count, 2),
        (count,),
    )
    unused = [
        torch.empty(shape, dtype=torch.int32 if i == 3 else torch.float32)
        for i, shape in enumerate(shapes)
    ]
    native = kernels.library.handle
    _check(native.splat_forward(borrowed.view, ctypes.byref(args), *[t.data_ptr() for t in unused]))
    return args, borrowed, native, arrays


REGION_WEIGHT = np.dtype([("gaussian", np.int32), ("region", np.int32), ("weight", np.float32)])


def region_weights(
    kernels: Kernels,
    gaussians: Drawables,
    view: RasterView,
    regions: NDArray[np.int32],
    options: RasterOptions,
) -> NDArray[np.void]:
    """Records of REGION_WEIGHT, several for a Gaussian and a region that meet in several tiles;
    `regions` (H, W), negative: none; colours do not matter.
    """
    check_labels("regions", regions, (view.height, view.width))
    args, borrowed, native, arrays = _project(kernels, gaussians, view, options)
    labels = np.ascontiguousarray(regions)
    given = (borrowed.view, ctypes.byref(args), labels.ctypes.data)
    total = native.splat_region_weights(*given, None)
    _check(2 if total < 0 else 0)
    records = np.empty(total, REGION_WEIGHT)
    native.splat_region_weights(*given, records.ctypes.data)
    del arrays  # which `args` points into, until here
    return records


def label_map(
    kernels: Kernels,
    gaussians: Drawables,
    view: RasterView,
    labels: NDArray[np.int32],
    count: int,
    options: RasterOptions,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The label (below `count`; negative: none) that makes up most of each pixel (H, W), -1 without
    any, and its share.
    """
    check_labels("labels", labels, (len(gaussians.means),))
    check_label_count(labels, count)
    args, borrowed, native, arrays = _project(kernels, gaussians, view, options)
    given = np.ascontiguousarray(labels)
    label, share = (
        np.empty((view.height, view.width), np.int32),
        np.empty((view.height, view.width), np.float32),
    )
    pointers = (given.ctypes.data, count, label.ctypes.data, share.ctypes.data)
    _check(native.splat_label_map(borrowed.view, ctypes.byref(args), *pointers))
    del arrays
    return label, share


class _L1Dssim(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, image: Tensor, target: Tensor, ssim_weight: float, kernels: Kernels, buffers: int
    ) -> tuple[Tensor, ...]:
        check_pictures(image, target)
        height, width, _ = image.shape
        x, y = _plain(image), _plain(target)
        ctx.gradient, parts = torch.empty_like(x), torch.empty(2, dtype=torch.float64)
        pointers = (ctx.gradient.data_ptr(), parts.data_ptr())
        _check(
            kernels.library.handle.splat_l1_dssim(
                buffers, x.data_ptr(), y.data_ptr(), width, height, ssim_weight, *pointers
            )
        )
        l1, ssim = parts.unbind()
        loss = (1 - ssim_weight) * l1 + ssim_weight * (1 - ssim)
        ctx.mark_non_differentiable(ssim)
        return loss.float(), ssim

    @staticmethod
    def backward(ctx: Any, v_loss: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.gradient * v_loss, None, None, None, None


def fused_l1_dssim(kernels: Kernels) -> Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]:
    """A function (image (H, W, 3), target, weight of SSIM) -> (loss, mean SSIM) on buffers of its
    own.
    """
    buffers = kernels.library.handle.splat_ssim_new()
    if not buffers:
        raise KernelError(_NO_MEMORY)

    def loss(image: Tensor, target: Tensor, ssim_weight: float) -> tuple[Tensor, Tensor]:
        result: tuple[Tensor, Tensor] = _L1Dssim.apply(image, target, ssim_weight, kernels, buffers)
        return result

    return loss
