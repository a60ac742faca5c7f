"""States of numpy's random generators as tensors, for checkpoints; torch's have their own."""

import json
from typing import Any

import numpy as np
import torch
from torch import Tensor


def state_of(random: np.random.Generator) -> Tensor:
    """Where the generator stands."""
    return torch.tensor(list(json.dumps(random.bit_generator.state).encode()), dtype=torch.uint8)


def restore(random: np.random.Generator, state: Tensor) -> None:
    """Sets a generator of the same kind to where `state_of` found another."""
    saved: dict[str, Any] = json.loads(bytes(state.tolist()))
    random.bit_generator.state = saved
