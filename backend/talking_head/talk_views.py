"""From where a talking head is looked at when its footage is not behind it: straight ahead, from a
side, from a turntable, or by given cameras; and how the head turns upon its neck.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..formats import transforms_json
from ..formats.motion_file import HEAD, Motion
from ..geometry.arrays import Doubles, Floats, Pixels
from ..media.open_image import opened
from .rigs.drawing import PortraitCamera, portrait
from .talk_verb import TalkOptions
from .whole_head import neck

PLAIN, PLAIN_SIDE = (41, 43, 48), 512
HEIGHT, DISTANCE = 44.0, 80.0  # centimetres of the picture at the head, and from the camera
LOW = 8.0  # centimetres that the picture's middle lies above the neck's joint
OPENGL = np.diag([1.0, -1.0, -1.0])  # camera axes of transforms.json


def head_turns(
    motion: Motion | None, coefficients: Floats, names: list[str], wanted: bool
) -> Doubles:
    """(T, 3, 3) of the head against its shoulders: by the motion's curves of the head, or as in the
    footage where there is no motion.
    """
    angles = np.zeros((len(coefficients), 3), np.float32)
    if wanted and motion is not None:
        frames = np.arange(len(coefficients))
        for curve in motion.curves:
            if curve.name in HEAD:
                angles[:, HEAD.index(curve.name)] = np.interp(frames, curve.frames, curve.values)
    elif wanted and neck.NAMES[0] in names:
        bent = coefficients[:, [names.index(name) for name in neck.NAMES]]
        angles = neck.FULL * (bent[:, 0::2] - bent[:, 1::2])
    return neck.head_turn(angles)


def bent(coefficients: Floats, names: list[str], turns: Doubles) -> Floats:
    """(T, K) with the neck's shapes as the head turns; heads of earlier versions have none."""
    if neck.NAMES[0] not in names:
        return coefficients
    changed = coefficients.copy()
    changed[:, [names.index(n) for n in neck.NAMES]] = neck.coefficients(neck.angles_of(turns))
    return changed


def views(
    options: TalkOptions, count: int, fps: float, turns: Doubles, joint: Floats
) -> list[PortraitCamera]:
    """One a frame, into the camera from the head's own axes, which turn about the joint."""
    side = options.size or PLAIN_SIDE
    if options.camera:
        fixed = _given(Path(options.camera), side)
        still = [fixed[min(k, len(fixed) - 1)] for k in range(count)]
    else:
        still = [
            _around(options, side, options.yaw + options.turn * k / fps, joint)
            for k in range(count)
        ]
    return [upon_neck(view, turn, joint) for view, turn in zip(still, turns, strict=True)]


def upon_neck(view: PortraitCamera, turn: NDArray[np.float64], joint: Floats) -> PortraitCamera:
    """A camera that sees the shoulders' axes, as it sees the axes of a head that is turned."""
    shift = view.rotation @ (joint - turn @ joint)
    return replace(view, rotation=view.rotation @ turn, translation=view.translation + shift)


def _around(options: TalkOptions, side: int, yaw: float, joint: Floats) -> PortraitCamera:
    view = portrait(
        side, np.radians(-yaw), np.radians(options.pitch), distance=DISTANCE, height=HEIGHT
    )
    middle = joint + np.array([0, LOW, 0])
    return replace(view, translation=view.translation - view.rotation @ middle)


def _given(path: Path, side: int) -> list[PortraitCamera]:
    """The cameras of a transforms.json around a head that stands in Blender's axes and metres."""
    record = transforms_json.load_json(path)
    cameras = []
    for number, frame in enumerate(record["frames"]):
        pose = transforms_json.pose(frame, f"frame {number + 1}")
        whole = {**record, **frame}
        width, height = (
            int(transforms_json.number(whole, key, 2.0 * float(whole.get(half, side / 2))))
            for key, half in (("w", "cx"), ("h", "cy"))
        )
        focal = transforms_json.focal_lengths(whole, width, height)[0]
        scale = side / max(width, height, 1)
        from_blender = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
        rotation = OPENGL @ pose[:3, :3].T @ from_blender.T
        cameras.append(
            PortraitCamera(
                rotation=rotation,
                translation=-rotation @ (from_blender @ pose[:3, 3] * 100),
                focal=focal * scale,
                width=max(8, round(width * scale)),
                height=max(8, round(height * scale)),
            )
        )
    return cameras


def yaws(shown: list[PortraitCamera]) -> Floats:
    """(T,) degrees to the person's left from which cameras see the head."""
    eyes = np.stack([-view.rotation.T @ view.translation for view in shown])
    return np.degrees(np.arctan2(eyes[:, 0], eyes[:, 2])).astype(np.float32)


def behind(options: TalkOptions, size: tuple[int, int]) -> Pixels:
    """(H, W, 3) a picture, cut to fill the frame, or one colour. `size` is width and height."""
    if not options.picture:
        return np.full((size[1], size[0], 3), PLAIN, np.uint8)
    with opened(Path(options.picture)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        return np.asarray(ImageOps.fit(upright, size, Image.Resampling.LANCZOS))
