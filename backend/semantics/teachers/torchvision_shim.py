"""Lets torchvision be imported beside a CPU build of torch.

The registry's torchvision for Linux is built for CUDA: beside torch's CPU build its library does not load, and its
Python part then fails on two operators that it expects to have been defined. open_clip needs that Python part only
(transforms), so the operators are declared, without any implementation. Where the library loads nothing is done.
"""

import functools

import torch

DECLARED = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@functools.cache
def make_importable() -> tuple[torch.library.Library, ...]:
    """To be called before open_clip is imported; what it returns is kept alive by the cache."""
    if torch.version.cuda is not None:
        return ()
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in DECLARED:
        if not hasattr(torch.ops.torchvision, schema.split("(")[0]):
            library.define(schema)
    return (library,)
