"""`python -m backend doctor`: what this machine can do, what is missing, how to get it.

It looks in a child process, `python -m backend.doctor`: a library that does not fit the machine
may end the process that loads it, and that is an answer too.
"""

import importlib
import json
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import protocol
from .runtime.broken_imports import DISTRIBUTIONS, ran_out_of_memory
from .runtime.device import choose_device, core_count, tune_process
from .runtime.explain import explain
from .runtime.gsplat_probe import why_not_gsplat
from .runtime.versions import installed_versions

NEEDED = {
    "numpy": "everything",  # first: the others load it
    "torch": "training and rendering",
    "scipy": "neighbours of points",
    "PIL": "reading photos",
    "av": "reading video",
    "cv2": "following points",
    "OpenEXR": "depth maps",
    "pycolmap": "solving cameras",
    "safetensors": "checkpoints",
}
SET_UP = (
    "In Blender: Splatsmith > Compute > Set Up. Here: pip install --require-hashes -r "
    "wheels/cpu.txt"
)
MEND = f"{SET_UP} --force-reinstall, for what is there and can't be loaded is damaged."
CLOSE = "Close other programs and look again: it is the memory that was missing."


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


def _name(module: str) -> str:
    return f"{DISTRIBUTIONS.get(module, module)} ({NEEDED[module]})"


def _look_at_packages(report: Report) -> None:
    """Names those that do not import, with the reason where it is more than absence."""
    for module in NEEDED:
        _tell(trying=module)
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a foreign package raises what it likes
            is_absent = isinstance(error, ModuleNotFoundError) and error.name == module
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            report.missing.append(_name(module) + ("" if is_absent else f": {reason}"))
            advice = SET_UP if is_absent else CLOSE if ran_out_of_memory(error) else MEND
            if advice not in report.advice:
                report.advice.append(advice)


def examine() -> Report:
    """Looks at packages, devices and the rasteriser by using them."""
    report = Report(
        ready=False,
        line="",
        cores=core_count(),
        versions=installed_versions(),
    )
    _look_at_packages(report)
    if not report.missing:
        try:
            _look_at_device(report)
        except Exception as error:  # noqa: BLE001 - drivers and their libraries raise what they like
            known = explain(error)
            report.missing.append(f"computing does not start: {known.what}")
            report.advice.append(known.advice)
    if report.missing:
        report.line = f"not ready: {len(report.missing)} missing"
    return report


def _look_at_device(report: Report) -> None:
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


def _tell(**news: Any) -> None:
    """A line for the process that waits for this one."""
    sys.stdout.write(f"{json.dumps(news)}\n")
    sys.stdout.flush()


def examine_in_child() -> Report:
    """The same, by another process; where that one dies, of what it was just loading."""
    isolated = ["-E"] * sys.flags.ignore_environment + ["-s"] * sys.flags.no_user_site
    command = [sys.executable, *isolated, "-X", "utf8", "-m", f"{__package__}.doctor"]
    trying, report = "", Report(ready=False, line="not ready: 1 missing", cores=core_count())
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[1],
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            news = _read(line)
            trying = news.get("trying", trying)
            if "report" in news:
                return Report(**news["report"])
    name = _name(trying) if trying in NEEDED else "the Python interpreter"
    report.missing.append(f"{name}: it ends the process that loads it (status {child.returncode})")
    report.advice.append(CLOSE if child.returncode == -9 else MEND)
    return report


def _read(line: bytes) -> dict[str, Any]:
    """Empty for what a package prints while it is loaded."""
    try:
        news = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return news if isinstance(news, dict) else {}


def main(as_json: bool) -> int:
    """Prints the report; 0 when everything needed is there."""
    report = examine_in_child()
    report.free_gigabytes = round(shutil.disk_usage(".").free / 2**30, 1)
    data: dict[str, Any] = asdict(report)
    sys.stdout.write((json.dumps(data) if as_json else "\n".join(_lines(report))) + "\n")
    return 0 if report.ready else 1


if __name__ == "__main__":
    tune_process()
    _tell(report=asdict(examine()))
