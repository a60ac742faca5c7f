"""What a reader did that it must not do, once for each place in the code."""

import hashlib
import traceback
from dataclasses import dataclass
from pathlib import Path

from backend.protocol import InputError, SplatsmithError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finding:
    """`place` tells one kind from another; `told` is for people."""

    target: str
    place: str
    told: str
    data: bytes

    def save(self, folder: Path) -> Path:
        """The input and what was told, under a name that is the kind's own."""
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(self.place.encode()).hexdigest()[:8]
        path = folder / f"{self.target}-{digest}"
        path.write_bytes(self.data)
        path.with_name(f"{path.name}.txt").write_text(f"{self.place}\n\n{self.told}\n")
        return path


def is_fine(error: BaseException) -> bool:
    """Whether a reader may raise it: what was handed in, or what is missing, in words."""
    return isinstance(error, InputError) or (
        isinstance(error, SplatsmithError) and error.code != "INTERNAL"
    )


def place_of(error: BaseException) -> str:
    """The error's name and the deepest line of the project's own code that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    rooms = (ROOT / "backend", ROOT / "tests")
    own = [f for f in frames if any(Path(f.filename).is_relative_to(room) for room in rooms)]
    where = own[-1] if own else frames[-1]
    name = Path(where.filename)
    inside = name.relative_to(ROOT) if name.is_relative_to(ROOT) else Path(name.name)
    return f"{type(error).__name__} in {inside}:{where.lineno} {where.name}"


def finding_of(target: str, error: BaseException, data: bytes) -> Finding:
    """Of an exception that is not the error tree's."""
    return Finding(
        target, place_of(error), "".join(traceback.format_exception(error))[-4000:], data
    )
