"""What the COLMAP process is told, as a JSON file. It is a process of its own: COLMAP may abort,
and must be killable.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class KnownCamera:
    """A camera that is given: its lens in COLMAP's terms, in pixels of its picture; world to
    camera.
    """

    name: str
    model: str
    params: list[float]
    viewmat: list[list[float]]
    size: list[int]  # width and height

    @property
    def lens(self) -> tuple[str, tuple[float, ...], tuple[int, ...]]:
        """What pictures of one camera share."""
        return self.model, tuple(self.params), tuple(self.size)


@dataclass(frozen=True, kw_only=True)
class ColmapTask:
    """`kind`: match the pictures; map cameras from the matches; write cameras and points as a
    capture; triangulate points for known cameras; or read a COLMAP model. The last three write a
    capture.
    """

    kind: Literal["match", "map", "write", "known", "model"]
    images: str  # folder of the pictures
    work: str  # scratch folder
    output: str  # where the capture is written
    names: list[str]  # pictures in order
    ordered: bool = False
    times: list[float] | None = None
    fps: float = 0.0  # of the video that they are from; 0 where there is none
    sources: list[str] | None = None  # what the pictures were called, where `names` are new
    focal: float = 0.0  # pixels; 0 unknown
    lock_focal: bool = False
    features: int = 4096
    mapper: Literal["incremental", "global"] = "incremental"
    masks: str = ""  # folder of masks: COLMAP looks for NAME.png beside a picture's name
    turns: list[int] | None = None  # quarters counter-clockwise that pictures were turned by
    offset: list[float] | None = None  # what was taken from the world's coordinates
    applied: list[list[float]] | None = None  # (3, 4) nerfstudio's applied_transform
    solved: str = ""  # what "match" and "map" leave and "write" takes: an npz, see solved.py
    known: list[KnownCamera] = field(default_factory=list)
    points: str = ""  # a PLY to take instead of triangulating
    model: str = ""  # folder of the COLMAP model
    goes_on: bool = False  # in the database that a stopped process has left in `work`
    seed: int = 0
    threads: int = 2

    def write(self, path: Path) -> None:
        """To a JSON file."""
        path.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "ColmapTask":
        """From the JSON file that `write` has made."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        data["known"] = [KnownCamera(**k) for k in data["known"]]
        return cls(**data)
