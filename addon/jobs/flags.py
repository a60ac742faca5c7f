"""The command line's flags in the backend's messages, by the names of the window's fields."""

import re

FIELDS = {
    "agree": "Download Tracker",
    "capture": "Capture",
    "depth-model": "Depth Network",
    "exposure": "Even Out Exposure",
    "faces": "Triangles",
    "focal-mm": "Focal Length",
    "fps": "Frame Rate",
    "frames": "Frames",
    "masks": "Masks",
    "max-splats": "Max Splats",
    "model": "CLIP Model",
    "prompt": "Words",
    "regions": "Regions",
    "rig": "Face Model",
    "sam": "SAM",
    "segmenter": "Segmenter",
    "solver": "Solver",
    "speaker": "Speaker",
    "steps": "Steps",
    "texture": "Texture Size",
    "tracker": "Tracker",
}
_FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
_ONLY_FLAGS = re.compile(r" \((--[a-z][a-z-]*(?: \d+)?(?:, --[a-z][a-z-]*(?: \d+)?)*)\)")


def in_window(text: str) -> str:
    """Flags without a field leave brackets of flags alone, and elsewhere lose their dashes."""
    return _FLAG.sub(_name, _ONLY_FLAGS.sub(_brackets, text))


def _brackets(match: re.Match[str]) -> str:
    known = [part for part in match[1].split(", ") if part[2:].split()[0] in FIELDS]
    return f" ({', '.join(known)})" if known else ""


def _name(match: re.Match[str]) -> str:
    return FIELDS.get(match[1], match[1].replace("-", " "))
