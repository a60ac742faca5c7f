"""The verb `convert`: a splat file of one format as one of another."""

from pathlib import Path

from ..formats import splat_ply
from ..formats.splat_arrays import SplatArrays, with_degree
from ..formats.splats import files
from ..formats.splats.files import Tools
from ..protocol import InputError
from ..runtime.job import Job, Outcome
from .convert_verb import ConvertOptions


def run(job: Job[ConvertOptions]) -> Outcome:
    """Leaves the file under its name. What was left out and what was lost are warnings, and stand
    in the manifest.
    """
    options = job.options
    chosen = files.format_of(Path(_plain(options.to)))
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
    tools = Tools(spz_version=options.spz_version)
    path = job.folder.staging / options.to
    lost += files.write(path, with_degree(arrays, options.degree), chosen, tools)
    if lost:
        job.warn("LOST", f"{chosen.title} does not hold: {'; '.join(lost)}.")
    size = sum(part.stat().st_size for part in job.folder.staging.iterdir())
    return Outcome(
        f"{len(arrays):,} splats, {size / 1e6:.1f} MB, {chosen.title}",
        {"splats": float(len(arrays)), "bytes": float(size)},
        {"left_out": list(arrays.left_out), "lost": lost},
    )


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
