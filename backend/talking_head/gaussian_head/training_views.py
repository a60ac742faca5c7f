"""The frames that a Gaussian head learns from: cut to the head, with a camera and the head's
outline.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...geometry.arrays import Floats, Pixels
from ...geometry.triangles import Seen, nearest_triangles
from ..rigs.drawing import PortraitCamera
from ..rigs.rig import Rig
from ..whole_head.assembly import WholeHead, footage
from ..whole_head.guided_filter import guided
from ..whole_head.soft_edges import by_colors

MARGIN = 0.06  # of the head's size, around it
WIDE = 0.75  # of a cut's longer side: that of a whole picture, for the shoulders
SURE = 0.95  # of a matte: the person's own colour
PICTURED = ("image", "person", "matte", "speaking", "outline", "counted", "viewmat", "K")


@dataclass(frozen=True, kw_only=True)
class SeenFrame:
    """One frame's cut. Its camera is the cut's own, so K differs from frame to frame."""

    number: int
    image: Tensor  # (H, W, 3) sRGB 0..1
    person: Tensor  # (H, W, 3) the same, with the person's colours up to the matte's very edge
    matte: Tensor  # (H, W, 1) 0..1
    speaking: Tensor  # (H, W, 1) 1 where the mouth is, which says most and is small
    outline: Tensor  # (H, W) True where the head covers the picture
    counted: Tensor  # (H, W, 1) 1 where the picture tells what the person looks like
    viewmat: Tensor  # (4, 4) the rig's axes to the camera's
    K: Tensor  # (3, 3)
    seen: Seen  # which triangles, for the first colours

    def on(self, device: str) -> "SeenFrame":
        """With its tensors on a device."""
        moved = {name: getattr(self, name).to(device) for name in PICTURED}
        return replace(self, **moved)

    def in_light(self, gains: Tensor) -> "SeenFrame":
        """As it would look where every channel (3,) is that much darker, and of the head alone:
        what is worn below it, and hair that stands off, may be another day's.
        """
        return replace(
            self,
            image=(self.image / gains).clamp(0, 1),
            person=(self.person / gains).clamp(0, 1),
            counted=self.outline[..., None].float(),
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
    whole: WholeHead,
    numbers: NDArray[np.int64],
    wide: NDArray[np.int64],
    side: int,
    max_side: int,
    progress: Callable[[int], None] = lambda n: None,
) -> list[SeenFrame]:
    """Of the motion's frames with these numbers, in one pass over the video, cut to the head; of
    those in `wide` the whole picture, too. `max_side` is the tracker's.
    """
    head = head_triangles(whole.rig, whole.motion.rest)
    frames, both = list[SeenFrame](), set(wide.tolist())
    for number, pixels in footage(path, whole.motion, numbers, max_side):
        view = whole.motion.view(number)
        vertices = whole.motion.vertices(whole.rig, number)
        points = view.project(vertices[np.unique(whole.rig.triangles[head])])
        frames.append(_frame(pixels, whole, head, number, head_cut(points, view, side)))
        if number in both and number in whole.mattes:
            longer = max(view.width, view.height)
            cut = Cut((0, 0, view.width, view.height), min(1.0, WIDE * side / longer))
            frames.append(_frame(pixels, whole, head, number, cut))
        progress(len(frames))
    return frames


def _frame(
    pixels: Pixels, whole: WholeHead, head: NDArray[np.int64], number: int, cut: Cut
) -> SeenFrame:
    rig, motion = whole.rig, whole.motion
    view = motion.view(number)
    projected = view.project(motion.vertices(rig, number)).astype(np.float32)[
        rig.triangles
    ]  # (T, 3, 3)
    (width, height), corner = cut.size, np.array(cut.box[:2], np.float32)
    points, nearness = (projected[..., :2] - corner) * cut.factors, 1 / projected[..., 2]
    first, second = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    ahead = np.flatnonzero(
        first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]
    )  # those that face the camera; y runs down
    seen = nearest_triangles(points[ahead], nearness[ahead], (width, height))
    covering = replace(seen, triangles=ahead[seen.triangles])
    speaking = np.zeros(height * width, np.float32)
    speaking[seen.pixels[whole.speaking[covering.triangles]]] = 1
    covered = np.zeros(height * width, bool)
    covered[seen.pixels[np.isin(covering.triangles, head)]] = True
    outline = covered.reshape(height, width)
    image = cut.resize(pixels)
    small = whole.mattes.get(number)
    matte = outline.astype(np.float32) if small is None else cut_matte(small, image, cut, view)
    return SeenFrame(
        number=number,
        image=torch.from_numpy(image.astype(np.float32) / 255),
        person=torch.from_numpy(own_colors(image, matte)),
        matte=torch.from_numpy(matte)[..., None],
        speaking=torch.from_numpy(speaking.reshape(height, width, 1)),
        outline=torch.from_numpy(outline),
        counted=torch.ones(height, width, 1),
        viewmat=viewmat(view),
        K=cut.intrinsics(view),
        seen=covering,
    )


def cut_matte(small: Floats, image: Pixels, cut: Cut, view: PortraitCamera) -> Floats:
    """(H, W) a matte of the whole picture, cut and made as fine as the cut's picture."""
    across, down = small.shape[1] / view.width, small.shape[0] / view.height
    sx, sy = cut.factors.tolist()
    matrix = np.array(
        [
            [across / sx, 0, cut.box[0] * across + 0.5 * across / sx - 0.5],
            [0, down / sy, cut.box[1] * down + 0.5 * down / sy - 0.5],
        ]
    )
    large = cv2.warpAffine(
        small,
        matrix,
        cut.size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    radius = max(1, round(1.5 * sx / across))
    fine = guided(image, np.asarray(large, np.float32), radius, 1e-4)
    return by_colors(image, np.asarray(((fine - 0.15) / 0.7).clip(0, 1), np.float32), radius)


def own_colors(image: Pixels, matte: Floats) -> Floats:
    """(H, W, 3) 0..1: at soft edges, where pixels are mixed with what lies behind, the colours of
    the sure pixels beside them.
    """
    sure = (matte > SURE).astype(np.float32)
    colors = image.astype(np.float32) / 255
    size = (9, 9)
    share = cv2.blur(sure, size)[..., None]
    near = cv2.blur(colors * sure[..., None], size) / np.maximum(share, 1e-6)
    mixed = (sure == 0)[..., None] & (share > 1e-3)
    return np.asarray(np.where(mixed, near, colors), np.float32)
