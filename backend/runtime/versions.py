"""Which versions a job ran with, for its manifest."""

import importlib.metadata
import platform

from ..protocol import VERSION

PACKAGES = (
    "torch", "numpy", "av", "pycolmap", "opencv-python-headless", "OpenEXR", "pillow", "scipy",
    "safetensors", "onnxruntime", "gsplat",
    "splatsmith-kernels",
)  # fmt: skip


def installed_versions() -> dict[str, str]:
    """Of the packages that matter, those that are there."""
    versions = {"splatsmith": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except (ImportError, OSError, ValueError, KeyError, TypeError):
            continue  # not there, or its record is damaged
    return versions
