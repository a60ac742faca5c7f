"""The frames that a Gaussian head learns from: cut to the head, with a camera and the head's
outline.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...geometry.arrays import Floats, Pixels
from ...geometry.triangles import Seen, nearest_triangles
from ...media.decoding import Damage, decode, open_video
from ...media.video import upright
from ..fitting.head_motion import HeadMotion
from ..rigs.drawing import PortraitCamera
from ..rigs.rig import Rig

MARGIN = 0.06  # of the head's size, around it


@dataclass(frozen=True, kw_only=True)
class SeenFrame:
    """One frame's cut. Its camera is the cut's own, so K differs from frame to frame."""

    number: int
    image: Tensor  # (H, W, 3) sRGB 0..1
    outline: Tensor  # (H, W) True where the rig covers the picture
    viewmat: Tensor  # (4, 4) the rig's axes to the camera's
    K: Tensor  # (3, 3)
    seen: Seen  # which triangles, for the first colours

    def on(self, device: str) -> "SeenFrame":
        """With its tensors on a device."""
        image, outline, viewmat, K = (
            tensor.to(device) for tensor in (self.image, self.outline, self.viewmat, self.K)
        )
        return SeenFrame(
            number=self.number, image=image, outline=outline, viewmat=viewmat, K=K, seen=self.seen
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True)
class Cut:
    """A part of the picture and how it is scaled: x0, y0, x1, y1 in pixels of the frame."""

    box: tuple[int, int, int, int]
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        x0, y0, x1, y1 = self.box
        return max(8, round((x1 - x0) * self.scale)), max(8, round((y1 - y0) * self.scale))

    @property
    def factors(self) -> Floats:
        """(2,) along x and y; the whole numbers of pixels make them differ a little."""
        x0, y0, x1, y1 = self.box
        return np.asarray(np.array(self.size) / np.array([x1 - x0, y1 - y0]), np.float32)

    def resize(self, pixels: Pixels) -> Pixels:
        """(H, W, 3) of the frame to the cut's own size."""
        return np.asarray(
            Image.fromarray(pixels).resize(self.size, Image.Resampling.LANCZOS, box=self.box)
        )

    def intrinsics(self, view: PortraitCamera) -> Tensor:
        """(3, 3)"""
        sx, sy = self.factors.tolist()
        cx, cy = (view.width / 2 - self.box[0]) * sx, (view.height / 2 - self.box[1]) * sy
        return torch.tensor([[view.focal * sx, 0, cx], [0, view.focal * sy, cy], [0, 0, 1]])


def head_cut(points: np.ndarray, view: PortraitCamera, side: int) -> Cut:
    """Around projected points (P, 2 or 3), never larger than the frame nor enlarged, `side` pixels
    long at most.
    """
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    room = MARGIN * float((high - low).max())
    x0, y0 = (int(max(0, np.floor(v - room))) for v in low)
    x1, y1 = (
        int(min(most, np.ceil(v + room)))
        for v, most in zip(high, (view.width, view.height), strict=True)
    )
    box = (x0, y0, max(x1, x0 + 8), max(y1, y0 + 8))
    return Cut(box, min(1.0, side / max(box[2] - box[0], box[3] - box[1])))


def viewmat(view: PortraitCamera) -> Tensor:
    """(4, 4)"""
    matrix = torch.eye(4)
    matrix[:3, :3], matrix[:3, 3] = (
        torch.from_numpy(view.rotation).float(),
        torch.from_numpy(view.translation).float(),
    )
    return matrix


def head_triangles(
    rig: Rig, rest: Floats, below: float = 1.5, slope: float = 0.35
) -> NDArray[np.int64]:
    """Those of the head: above a plane that passes `below` centimetres under the chin and rises
    towards the nape.

    Neck and shoulders do not turn with the head, and stay the footage's.
    """
    jaw = np.linalg.norm(rig.shapes[rig.names.index("jawOpen")], axis=1)
    moved = np.flatnonzero(jaw > 0.5 * jaw.max())
    chin = rest[moved[rest[moved, 1].argmin()]]
    above = rest[:, 1] - chin[1] + below > slope * (chin[2] - rest[:, 2])
    return np.flatnonzero(above[rig.triangles].all(1))


def read_frames(
    path: Path,
    rig: Rig,
    motion: HeadMotion,
    head: NDArray[np.int64],
    numbers: NDArray[np.int64],
    side: int,
    max_side: int,
    progress: Callable[[int], None] = lambda n: None,
) -> list[SeenFrame]:
    """Of the motion's frames with these numbers, in one pass over the video; `head` are triangles.
    `max_side` is the tracker's.
    """
    wanted, frames = set(numbers.tolist()), list[SeenFrame]()
    with open_video(path) as container:
        for time, frame in decode(container, path, Damage()):
            number = int(np.abs(motion.times - time).argmin())
            if time > motion.times[-1] + 1e-4 or len(frames) == len(wanted):
                break
            if number not in wanted or abs(motion.times[number] - time) > 1e-4:
                continue
            pixels = upright(frame, container.streams.video[0], max_side)
            if pixels.shape[:2] == (motion.height, motion.width):
                frames.append(_frame(pixels, rig, motion, head, number, side))
                progress(len(frames))
    return frames


def _frame(
    pixels: Pixels, rig: Rig, motion: HeadMotion, head: NDArray[np.int64], number: int, side: int
) -> SeenFrame:
    view = motion.view(number)
    projected = view.project(motion.vertices(rig, number)).astype(np.float32)[
        rig.triangles[head]
    ]  # (T, 3, 3)
    cut = head_cut(projected.reshape(-1, 3), view, side)
    (width, height), corner = cut.size, np.array(cut.box[:2], np.float32)
    points, nearness = (projected[..., :2] - corner) * cut.factors, 1 / projected[..., 2]
    first, second = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    ahead = (
        first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]
    )  # those that face the camera; y runs down
    head = head[ahead]
    seen = nearest_triangles(points[ahead], nearness[ahead], (width, height))
    outline = torch.zeros(height * width, dtype=torch.bool)
    outline[torch.from_numpy(seen.pixels)] = True
    image = torch.from_numpy(cut.resize(pixels).astype(np.float32) / 255)
    covering = replace(seen, triangles=head[seen.triangles])
    return SeenFrame(
        number=number,
        image=image,
        outline=outline.view(height, width),
        viewmat=viewmat(view),
        K=cut.intrinsics(view),
        seen=covering,
    )
