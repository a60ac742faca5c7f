"""The verb `convert`: a splat file of one format as one of another, or as a web page."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..formats import capture, splat_ply
from ..formats.splat_arrays import SplatArrays, with_degree
from ..formats.splats import files, web_page
from ..formats.splats.files import Tools
from ..formats.splats.page_cameras import path_of
from ..formats.splats.web_page import Page
from ..geometry.upright import upright_of_cameras
from ..protocol import InputError
from ..runtime.job import Job, Outcome
from .convert_verb import ConvertOptions


def run(job: Job[ConvertOptions]) -> Outcome:
    """Leaves the file under its name. What was left out and what was lost are warnings, and stand
    in the manifest.
    """
    options = job.options
    title, write = _writer(job)
    job.stage("Reading the splats", 1, 2)
    arrays = read_input(Path(job.request.input))
    for text in arrays.told:
        job.warn("INPUT", text)
    if arrays.left_out:
        job.warn("LEFT_OUT", f"Left out: {'; '.join(arrays.left_out)}.")
    job.stage("Writing the splats", 2, 2)
    lost = []
    if options.degree < arrays.sh_degree:
        lost.append(f"harmonics above degree {options.degree}, as asked")
    lost += write(job.folder.staging / options.to, with_degree(arrays, options.degree))
    if lost:
        job.warn("LOST", f"{title} does not hold: {'; '.join(lost)}.")
    size = sum(part.stat().st_size for part in job.folder.staging.iterdir())
    return Outcome(
        f"{len(arrays):,} splats, {size / 1e6:.1f} MB, {title}",
        {"splats": float(len(arrays)), "bytes": float(size)},
        {"left_out": list(arrays.left_out), "lost": lost},
    )


Write = Callable[[Path, SplatArrays], tuple[str, ...]]  # what was lost, in words


def _writer(job: Job[ConvertOptions]) -> tuple[str, Write]:
    """What is to be written, as a title, and what writes it. Raises InputError."""
    options = job.options
    name = Path(_plain(options.to))
    if name.name.lower().endswith(web_page.SUFFIX):
        return web_page.TITLE, _page_writer(job, name.name[: -len(web_page.SUFFIX)])
    if options.capture:
        raise InputError(
            "--capture is for web pages.", f"Leave it away, or name the output {name.stem}.html."
        )
    chosen = files.format_of(name)
    tools = Tools(spz_version=options.spz_version)
    return chosen.title, lambda path, a: files.write(path, a, chosen, tools)


def _page_writer(job: Job[ConvertOptions], title: str) -> Write:
    """With the capture's cameras, if asked; they say what is up where the splats don't."""
    if not job.options.capture:
        return lambda path, a: web_page.write(path, a, Page(title=title))
    taken = capture.read(Path(job.options.capture))
    for text in taken.reading.told:
        job.warn("CAPTURE", text)
    upright = upright_of_cameras(np.stack([frame.camera_to_world for frame in taken.frames]))
    page = Page(title=title, cameras=path_of(taken.frames, taken.fps))

    def write(path: Path, a: SplatArrays) -> tuple[str, ...]:
        if a.notes.upright is None:
            a = replace(a, notes=replace(a.notes, upright=upright))
        return web_page.write(path, a, page)

    return write


def read_input(path: Path) -> SplatArrays:
    """A splat file of any format, or the one in a folder that a job left."""
    if path.is_dir() and (path / splat_ply.FILE).is_file():
        path = path / splat_ply.FILE
    return files.read(path)


def _plain(name: str) -> str:
    """A file's name without a folder. Raises InputError for others."""
    if not name or name.startswith(".") or set(name) & set("/\\:\0"):
        raise InputError(f"--to {name[:60]!r} is no file's name.", "Give a name without a folder.")
    return name
