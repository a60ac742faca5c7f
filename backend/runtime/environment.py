"""The verb `setup`: makes the compute environment. Standard library only, since nothing else is
there yet.

Run by the Python that the environment is made from. uv installs where it is there or can be
fetched, else pip. Which folders may be emptied for it, own_environment.py says; one that was left
half-way is gone on with.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ..protocol import OutOfMemory, SetupError
from . import network, own_environment
from .job import Job, Outcome
from .setup_verb import SetupOptions

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = __name__.split(".")[0]  # backend in a checkout, splatsmith where pip has put it
LISTS = ROOT / "wheels"
PYTHONS = ((3, 11), (3, 13))


def python_of(environment: Path) -> Path:
    """The interpreter of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(job: Job[SetupOptions], command: list[str | Path], failure: str) -> Iterator[str]:
    """Runs a command; yields its lines. Cancelling kills it; a failure becomes a SetupError with
    its last words.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    words = [str(part) for part in command]
    tail: list[str] = []
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        forget = job.cancel.on_cancel(process.kill)
        assert process.stdout
        for line in process.stdout:
            sys.stderr.write(line)
            tail = [*tail[-20:], line.strip()]
            yield line.strip()
        process.wait()
        forget()
    job.cancel.check()
    if process.returncode == -9:
        raise OutOfMemory(
            "The installer was killed, most likely because the memory ran out.",
            "Close other programs and press Set Up again; it goes on where it was.",
        )
    if process.returncode:
        reason = next(
            (t for t in reversed(tail) if "error" in t.lower() or "No matching" in t),
            tail[-1] if tail else "",
        )
        raise SetupError(
            f"{failure}: {reason[:300]}", _advice(" ".join(map(str, command)), " ".join(tail))
        )


def _advice(command: str, text: str) -> str:
    """What usually helps against what pip and uv say."""
    if re.search(r"No space left|not enough space", text):
        return "Free some disk space and press Set Up again; it goes on where it was."
    if re.search(r"hash|HASH", text) and re.search(r"mismatch|DO NOT MATCH", text):
        return (
            "A file does not match its recorded hash and was refused. Try again; if it persists, "
            "the download is broken."
        )
    if "--no-index" in command:
        return (
            "The folder of wheels lacks a package. Fill it with: pip download --no-deps "
            "--require-hashes -r wheels/cpu.txt"
        )
    if re.search(r"resolve|connect|timed out|network|unreachable|dns|proxy", text, re.I):
        return "Check the internet connection, or give a folder of wheels."
    return "The setup's log has the details."


def _make(job: Job[SetupOptions], environment: Path) -> None:
    low, high = PYTHONS
    if (
        not low <= sys.version_info[:2] <= (low if sys.platform == "linux" else high)
    ):  # the CPU build's lock, wheels/README.md
        raise SetupError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} can't be used.",
            "Install Python 3.11.",
        )
    if own_environment.claim(environment) == own_environment.MADE:
        return  # its packages are gone on with
    own_environment.clear(environment)
    for _ in _run(
        job, [sys.executable, "-m", "venv", environment], "The environment could not be made"
    ):
        pass
    own_environment.mark(environment, own_environment.MADE)


def _installers(
    job: Job[SetupOptions], environment: Path, options: SetupOptions
) -> Iterator[list[str | Path]]:
    """Commands that install, the best first: uv where it is there or can be fetched, then pip,
    which every venv has.

    From a folder of wheels pip alone: it needs nothing else.
    """
    python = python_of(environment)
    pip: list[str | Path] = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    if options.wheels:
        yield [*pip, "--no-index", "--find-links", options.wheels]
        return
    uv = shutil.which("uv") or str(python.with_name("uv.exe" if os.name == "nt" else "uv"))
    try:
        if not Path(uv).exists():
            for _ in _run(
                job, [*pip, "--require-hashes", "-r", LISTS / "uv.txt"], "uv could not be fetched"
            ):
                pass
        yield [
            uv,
            "pip",
            "install",
            "--python",
            python,
            *(["--torch-backend=cpu"] if options.packages == "cpu" else []),
        ]
    except SetupError as error:
        job.warn("NO_UV", f"{error.what}. pip is used instead, which takes longer.")
    yield pip


def _install(job: Job[SetupOptions], environment: Path, options: SetupOptions) -> None:
    if options.wheels and not Path(options.wheels).is_dir():
        raise SetupError(
            f"The folder of wheels {options.wheels} does not exist.",
            "Choose another folder, or leave it empty to download.",
        )
    listing = LISTS / f"{options.packages}.txt"
    names = set(re.findall(r"^([A-Za-z0-9_.-]+)==", listing.read_text(encoding="utf-8"), re.M))
    job.stage("Getting the packages", 2, 4)
    failure: SetupError | None = None
    for installer in _installers(job, environment, options):
        try:
            _install_with(job, [*installer, "--require-hashes", "-r", listing], names)
            _install_kernels(job, environment)
            return
        except SetupError as error:
            failure = failure or error
    assert failure  # there is always one installer
    raise failure


def _install_with(job: Job[SetupOptions], command: list[str | Path], names: set[str]) -> None:
    done: set[str] = set()
    for line in _run(job, command, "The packages could not be installed"):
        words = line.split()
        if words and words[0] in (
            "Installing",
            "Prepared",
        ):  # pip's and uv's word for: all is here, now it is unpacked
            job.stage("Installing", 3, 4)
        elif words and words[0] in (
            "Collecting",
            "Processing",
            "Downloading",
            "Downloaded",
            "Using",
        ):
            done |= {name for name in names if name.replace("-", "_") in line.replace("-", "_")}
            job.progress(len(done), len(names))


def _install_kernels(job: Job[SetupOptions], environment: Path) -> None:
    """Our own wheel, which lies in the extension; where none fits, plain torch does the work."""
    if not list(LISTS.glob("splatsmith_kernels-*.whl")):
        job.warn(
            "NO_KERNELS", "No compiled kernels came with this copy, so rendering will be slow."
        )
        return
    command: list[str | Path] = [
        python_of(environment),
        "-m",
        "pip",
        "install",
        "--no-index",
        "--no-deps",
        "--force-reinstall",
    ]
    try:
        for _ in _run(
            job,
            [*command, "--find-links", LISTS, "splatsmith-kernels"],
            "The kernels could not be installed",
        ):
            pass
    except SetupError:
        job.warn(
            "NO_KERNELS",
            "There are no compiled kernels for this platform, so rendering will be slow.",
        )


def _verify(job: Job[SetupOptions], environment: Path) -> dict[str, object]:
    job.stage("Checking", 4, 4)
    command = [str(python_of(environment)), "-E", "-s", "-m", PACKAGE, "doctor", "--json"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=900, stdin=subprocess.DEVNULL
        )
        sys.stderr.write(done.stderr)
        report: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise SetupError(
            "The new environment does not run.",
            "Remove it and set it up again; the setup's log has the details.",
        ) from error
    if not report["ready"]:
        raise SetupError(
            f"The new environment lacks something: {report['missing']}.", "Press Set Up again."
        )
    return report


def _megabytes(folder: Path) -> float:
    return (
        sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
        / 2**20
    )


def run(job: Job[SetupOptions]) -> Outcome:
    """Leaves a working environment in the folder that the request's input names."""
    options, environment = job.options, Path(job.request.input)
    if not options.wheels:
        network.demand("Setting up")
    job.stage("Making the environment", 1, 4)
    _make(job, environment)
    _install(job, environment, options)
    report = _verify(job, environment)
    own_environment.mark(environment, own_environment.READY)
    size = _megabytes(environment)
    return Outcome(
        f"{report['line']}, {size:.0f} MB",
        {"megabytes": size},
        {"python": str(python_of(environment)), "doctor": report},
    )
