"""`python -m backend doctor`: what this machine can do, what is missing, how to get it."""

import importlib
import json
import platform
import shutil
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from . import protocol
from .runtime.device import choose_device, core_count
from .runtime.gsplat_probe import why_not_gsplat
from .runtime.versions import installed_versions

NEEDED = {
    "torch": "training and rendering",
    "numpy": "everything",
    "scipy": "neighbours of points",
    "PIL": "reading photos",
    "av": "reading video",
    "cv2": "following points",
    "OpenEXR": "depth maps",
    "pycolmap": "solving cameras",
    "safetensors": "checkpoints",
}
PACKAGE_OF = {"PIL": "pillow", "cv2": "opencv-python-headless"}


@dataclass(kw_only=True)
class Report:
    """What was found. `ready`: every verb can run."""

    ready: bool
    line: str
    device: str = ""
    rasterizer: str = ""
    python: str = platform.python_version()
    system: str = f"{platform.system()} {platform.machine()}"
    cores: int = 0
    free_gigabytes: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)


def _missing() -> list[str]:
    """Packages that do not import, with the reason where it is more than absence."""
    gone = []
    for module, use in NEEDED.items():
        try:
            importlib.import_module(module)
        except (
            ImportError,
            OSError,
        ) as error:  # OSError: a library that the package needs is missing
            why = (
                ""
                if isinstance(error, ModuleNotFoundError) and error.name == module
                else f": {error}"
            )
            gone.append(f"{PACKAGE_OF.get(module, module)} ({use}){why}")
    return gone


def examine() -> Report:
    """Looks at packages, devices and the rasteriser by using them."""
    report = Report(
        ready=False,
        line="",
        cores=core_count(),
        free_gigabytes=round(shutil.disk_usage(".").free / 2**30, 1),
        versions=installed_versions(),
    )
    report.missing += _missing()
    if report.missing:
        report.line = f"not ready: {len(report.missing)} missing"
        report.advice.append(
            "In Blender: Splatsmith > Compute > Set Up. Here: pip install --require-hashes -r "
            "wheels/cpu.txt"
        )
        return report
    import torch

    from .gaussians import rasterize

    name, report.device = choose_device("auto")
    report.rasterizer = rasterize.rasterizer_name(torch.device(name))
    why = why_not_gsplat()
    if name == "cpu" and torch.cuda.is_available():
        report.advice.append(
            f"There is a CUDA card, but {why}. Install gsplat and a CUDA toolkit that fits this "
            f"torch to use it."
        )
    if rasterize.cpu_kernels() is None:
        report.advice.append(
            "The compiled CPU kernels are missing, so rendering is about fifty times slower: run "
            "`make kernels`."
        )
    report.ready, report.line = True, f"{name.upper()} ready"
    return report


def _lines(report: Report) -> list[str]:
    mark = "ready" if report.ready else "NOT READY"
    lines = [
        f"Splatsmith {protocol.VERSION}: {mark}",
        f"  Python      {report.python} on {report.system}, {report.cores} cores",
    ]
    if report.device:
        lines += [f"  computes on {report.device}", f"  rasterizer  {report.rasterizer}"]
    lines += [f"  disk        {report.free_gigabytes} GB free"]
    lines += [
        f"  {name:<18} {version}"
        for name, version in report.versions.items()
        if name not in ("python", "splatsmith")
    ]
    lines += [f"  missing: {what}" for what in report.missing]
    return lines + [f"  -> {text}" for text in report.advice]


def main(as_json: bool) -> int:
    """Prints the report; 0 when everything needed is there."""
    report = examine()
    data: dict[str, Any] = asdict(report)
    sys.stdout.write((json.dumps(data) if as_json else "\n".join(_lines(report))) + "\n")
    return 0 if report.ready else 1
