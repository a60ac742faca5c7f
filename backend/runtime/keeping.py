"""What checkpoint.py tells the job that runs. Standard library only: `setup` runs without torch."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

FORMAT = 1  # of checkpoints; another number is another version's


@dataclass
class Keeping:
    """Of the job that runs: whom to tell that a checkpoint can't be written, and how many were."""

    tell: Callable[[str], None]
    saved: int = 0
    told: set[object] = field(default_factory=set)

    def failed(self, kind: object, text: str) -> None:
        """Tells it, once for each kind of reason."""
        if kind not in self.told:
            self.told.add(kind)
            self.tell(text)


_present: ContextVar[Keeping | None] = ContextVar("keeping", default=None)


def present() -> Keeping | None:
    """Of the job that runs in this process, if one does."""
    return _present.get()


@contextlib.contextmanager
def kept_by(keeping: Keeping) -> Iterator[None]:
    """Within, a checkpoint that can't be written is told, and the work goes on."""
    token = _present.set(keeping)
    try:
        yield
    finally:
        _present.reset(token)
