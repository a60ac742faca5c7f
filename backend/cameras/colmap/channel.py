"""How the COLMAP process talks to the worker: lines of JSON."""

import json
import os
from typing import Any


class Channel:
    """Lines to the worker, on a descriptor that COLMAP's own prints can't reach."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def send(self, **message: Any) -> None:
        """One line of JSON to the worker."""
        os.write(self._descriptor, json.dumps(message).encode() + b"\n")
