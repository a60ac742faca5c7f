"""How many cores torch may use for one operation: a number that never depends on the machine, since
what an operation is split into decides how its sums round.

One, as long as nothing else is said (device.py): most tensors are small, a second core would only
wait for the first, and with several threads torch adds up gradients of indexed rows in the order in
which threads come by. Several, a fixed number on any cores, where operations are large and nothing
is added up out of order: Adam's steps, networks that only look.
"""

import contextlib
from collections.abc import Iterator

import torch

SEVERAL = 4


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One, whoever is using torch and however."""
    with _threads(1):
        yield


@contextlib.contextmanager
def several_threads() -> Iterator[None]:
    """As many on one core as on a hundred; for inference only."""
    with _threads(SEVERAL):
        yield


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
