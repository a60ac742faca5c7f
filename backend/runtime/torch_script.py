"""Networks as TorchScript files, which are programs: whoever opens one lets its maker's code run
with all that the user may do. They are opened only where the user has said so.
"""

from pathlib import Path

import torch
from torch import nn

from ..formats.gate import check_file
from ..formats.limits import MOST_MODEL
from ..protocol import InputError


def load_script(path: Path, trusted: bool, device: str = "cpu") -> nn.Module:
    """The network.

    Raises:
        InputError: it is not `trusted`, is no ordinary file, or no TorchScript.
    """
    check_file(path, MOST_MODEL)
    if not trusted:
        raise InputError(
            f"{path.name} is a TorchScript file: opening it runs code of whoever made it.",
            "If you know where it comes from, say so with --trust-model-code.",
        )
    try:
        network: nn.Module = torch.jit.load(str(path), map_location=device)
    except (RuntimeError, ValueError, OSError, TypeError, AttributeError, EOFError) as error:
        raise InputError(
            f"{path.name} is not a TorchScript file.",
            "Export the network with torch.jit.script or trace.",
        ) from error
    return network
