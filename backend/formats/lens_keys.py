"""What a transforms.json says of a lens: its model and its distortion, in the words of nerfstudio,
instant-ngp and Metashape's exporters.
"""

from dataclasses import dataclass
from typing import Any

from ..protocol import InputError
from .transforms_json import number

DISTORTION = ("k1", "k2", "p1", "p2", "k3", "k4")
MORE_DISTORTION = ("k5", "k6", "s1", "s2", "s3", "s4")
ALIASES = {"sx1": "s1", "sy1": "s2"}  # COLMAP's words for the thin prism
SKEW = ("b1", "b2", "skew")  # Metashape's: pixels that are no rectangles
PERSPECTIVE = ("PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV")
# the distortion that each model has, of those above; what it lacks must be zero
MODELS = {
    **dict.fromkeys(PERSPECTIVE, DISTORTION),
    "FULL_OPENCV": (*DISTORTION, "k5", "k6"),
    "OPENCV_FISHEYE": ("k1", "k2", "k3", "k4"),
    "SIMPLE_RADIAL_FISHEYE": ("k1",),
    "RADIAL_FISHEYE": ("k1", "k2"),
    "THIN_PRISM_FISHEYE": (*DISTORTION, "s1", "s2"),
    "FISHEYE624": (*DISTORTION, *MORE_DISTORTION),
}


@dataclass(frozen=True, kw_only=True)
class Lens:
    """`model` is one of MODELS; numbers in the order of DISTORTION and MORE_DISTORTION."""

    model: str
    distortion: tuple[float, ...]
    more: tuple[float, ...]


def lens_of(camera: dict[str, Any]) -> Lens:
    """The lens of a record; InputError for a model, or a number of one, that is not known."""
    said = camera.get("camera_model", "OPENCV")
    model = said.upper() if isinstance(said, str) else str(said)
    if camera.get("is_fisheye") and model in PERSPECTIVE:
        model = "OPENCV_FISHEYE"
    if model not in MODELS:
        raise InputError(
            f"The camera model {said!r} is not supported.", "Undistort the pictures first."
        )
    values = {ALIASES.get(k, k): number(camera, k, 0.0) for k in camera if k in ALIASES}
    for key in (*DISTORTION, *MORE_DISTORTION, *SKEW):
        values[key] = number(camera, key, values.get(key, 0.0))
    strange = [k for k, v in values.items() if v and k not in MODELS[model]]
    if strange:
        raise InputError(
            f"The lens has {strange[0]!r} = {values[strange[0]]:g}, which its camera model "
            f"{model} does not know here.",
            "Undistort the pictures first, or export them with another camera model.",
        )
    return Lens(
        model=model,
        distortion=tuple(values[k] for k in DISTORTION),
        more=tuple(values[k] for k in MORE_DISTORTION),
    )
