"""Lets torchvision be imported beside a CPU build of torch.

The registry's torchvision for Linux is built for CUDA: beside torch's CPU build its library does
not load, and its Python part then fails on two operators that it expects to have been defined.
open_clip needs that Python part only (transforms), so where the import fails the operators are
declared, without any implementation, and it is tried again.
"""

import functools
import importlib
import sys

import torch

DECLARED = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@functools.cache
def make_importable() -> tuple[torch.library.Library, ...]:
    """To be called before open_clip is imported; what it returns is kept alive by the cache."""
    try:
        importlib.import_module("torchvision")
        return ()
    except ImportError:  # not installed: open_clip will say so
        return ()
    except RuntimeError:  # operator torchvision::nms does not exist
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in DECLARED:
        library.define(schema)
    return (library,)
