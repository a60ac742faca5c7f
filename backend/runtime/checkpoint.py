"""Checkpoints: named tensors in one safetensors file with a JSON note in its header. No pickle,
whole or not there.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..protocol import InputError
from .atomic import atomic_path


def save(path: Path, tensors: dict[str, Tensor], note: dict[str, Any]) -> None:
    """Writes `tensors` and the JSON-able `note`; an older file at `path` stays until the new one is
    complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as part:
        save_file(
            {name: t.detach().cpu().contiguous() for name, t in tensors.items()},
            part,
            {"note": json.dumps(note)},
        )


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save` wrote; InputError for a damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads((file.metadata() or {})["note"])
            return {name: file.get_tensor(name) for name in file.keys()}, note  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"The checkpoint {path} is damaged.", "Start the job anew.") from error


def adam_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What Adam remembers of its parameters, numbered in the order of its groups."""
    leaves = [p for group in optimizer.param_groups for p in group["params"]]
    return {
        f"adam/{i}/{key}": value
        for i, leaf in enumerate(leaves)
        for key, value in optimizer.state.get(leaf, {}).items()
    }


def restore_adam(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Into an optimiser of as many parameters, in the same order."""
    for index, leaf in enumerate(p for group in optimizer.param_groups for p in group["params"]):
        prefix = f"adam/{index}/"
        state = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        optimizer.state[leaf] = {
            k: t if k == "step" else t.to(leaf.device) for k, t in state.items()
        }
