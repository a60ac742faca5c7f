"""Splat files of every format: which one a file is, what each can hold, reading and writing any."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...protocol import InputError
from .. import ply, splat_ply
from ..splat_arrays import SplatArrays, with_degree
from ..splat_notes import SplatNotes
from . import compressed_ply, gltf, ksplat, sog, sog_writer, splat_file, spz, usd
from .sog_files import META
from .usd import Pxr
from .webp import PILLOW, WebP


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What Blender brings along in place of packages that its Python lacks; and choices."""

    webp: WebP = PILLOW
    pxr: Pxr = usd.bundled
    spz_version: int = 3  # which everyone reads


@dataclass(frozen=True, kw_only=True)
class SplatFormat:
    """A format: what its files are called, and what they can hold."""

    name: str
    title: str
    suffixes: tuple[str, ...]  # the first one is given to new files
    read: Callable[[Path, Tools], SplatArrays]
    # says what was lost beyond what is told below
    write: Callable[[Path, SplatArrays, Tools], tuple[str, ...]]
    degree: int = 3  # of harmonics that are written
    properties: bool = False  # by splat, such as object labels
    antialiased: bool = False
    notes: bool = False  # how the splats are blended, and what is up


def _read_ply(path: Path, _tools: Tools) -> SplatArrays:
    packed = compressed_ply.is_compressed(ply.read_header(path))
    return compressed_ply.read(path) if packed else splat_ply.read(path)


def _write_ply(path: Path, a: SplatArrays, _tools: Tools) -> tuple[str, ...]:
    splat_ply.write(path, a, ("Splatsmith",))
    return ()


FORMATS = (
    SplatFormat(
        name="compressed-ply",
        title="Compressed PLY (SuperSplat)",
        suffixes=(".compressed.ply",),
        read=_read_ply,
        write=lambda path, a, _: compressed_ply.write(path, a),
        antialiased=True,
        notes=True,
    ),
    SplatFormat(
        name="ply",
        title="PLY (3DGS)",
        suffixes=(".ply",),
        read=_read_ply,
        write=_write_ply,
        degree=4,
        properties=True,
        antialiased=True,
        notes=True,
    ),
    SplatFormat(
        name="spz",
        title="SPZ (Niantic)",
        suffixes=(".spz",),
        read=lambda path, _: spz.read(path),
        write=lambda path, a, tools: spz.write(path, a, tools.spz_version),
        antialiased=True,
    ),
    SplatFormat(
        name="sog",
        title="SOG (PlayCanvas)",
        suffixes=(".sog", META),
        read=lambda path, tools: sog.read(path, tools.webp),
        write=lambda path, a, tools: sog_writer.write(path, a, tools.webp),
        antialiased=True,
        notes=True,
    ),
    SplatFormat(
        name="splat",
        title="Splat (antimatter15)",
        suffixes=(".splat",),
        read=lambda path, _: splat_file.read(path),
        write=lambda path, a, _: splat_file.write(path, a),
        degree=0,
    ),
    SplatFormat(
        name="ksplat",
        title="KSplat (GaussianSplats3D)",
        suffixes=(".ksplat",),
        read=lambda path, _: ksplat.read(path),
        write=lambda path, a, _: ksplat.write(path, a),
        degree=ksplat.WRITTEN_DEGREE,
    ),
    SplatFormat(
        name="gltf",
        title="glTF (KHR_gaussian_splatting)",
        suffixes=(".glb", ".gltf"),
        read=lambda path, _: gltf.read(path),
        write=lambda path, a, _: gltf.write(path, a),
        properties=True,
        antialiased=True,
        notes=True,
    ),
    SplatFormat(
        name="usd",
        title="USD (ParticleField3DGaussianSplat)",
        suffixes=(".usdc", ".usda", ".usd"),
        read=lambda path, tools: usd.read(path, tools.pxr),
        write=lambda path, a, tools: usd.write(path, a, tools.pxr),
        degree=4,
        properties=True,
        antialiased=True,
        notes=True,
    ),
)
BY_NAME = {f.name: f for f in FORMATS}
SUFFIXES = tuple(s for f in FORMATS for s in f.suffixes)


def format_of(path: Path) -> SplatFormat:
    """By the file's name; of a folder with a meta.json, SOG. Raises InputError for others."""
    name = path.name.lower()
    if path.is_dir() and (path / META).is_file():
        return BY_NAME["sog"]
    for known in FORMATS:
        if name.endswith(known.suffixes):
            return known
    kinds = ", ".join(f.suffixes[0] for f in FORMATS)
    raise InputError(f"{path.name} is no splat file that is known by its name.", f"Known: {kinds}.")


def read(path: Path, tools: Tools | None = None) -> SplatArrays:
    """The splats of a file of any format. Raises InputError for what is none, and where it holds
    no splats.
    """
    arrays = format_of(path).read(path, tools or Tools())
    if not len(arrays):
        raise InputError(f"{path.name} holds no splats.", "Choose another file.")
    return arrays


def write(
    path: Path, a: SplatArrays, chosen: SplatFormat, tools: Tools | None = None
) -> tuple[str, ...]:
    """Writes the splats; what of them the format can't hold, in words.

    Raises InputError for no splats.
    """
    if not len(a):
        raise InputError("There are no splats to write.", "Choose some.")
    lost = losses(a, chosen)
    a = with_degree(a, chosen.degree)
    if not chosen.properties:
        a = replace(a, extra={})
    if not chosen.notes:
        a = replace(a, notes=SplatNotes(antialiased=a.notes.antialiased))
    return (*lost, *chosen.write(path, a, tools or Tools()))


def losses(a: SplatArrays, chosen: SplatFormat) -> tuple[str, ...]:
    """What of the splats a format has no place for."""
    lost = []
    if a.sh_degree > chosen.degree:
        beyond = f" beyond degree {chosen.degree}" if chosen.degree else ""
        lost.append(f"colors that follow the view{beyond} (degree {a.sh_degree})")
    if a.extra and not chosen.properties:
        lost.append(f"the properties {', '.join(a.extra)}")
    if a.notes.antialiased and not chosen.antialiased:
        lost.append("that they were trained antialiased")
    if a.notes.blend == "linear" and not chosen.notes:
        lost.append("that they blend in linear light")
    if a.notes.upright is not None and not chosen.notes:
        lost.append("what is up")
    if a.notes.source is not None and not chosen.notes:
        place = ", ".join(f"{v:.12g}" for v in a.notes.source[:3, 3])
        lost.append(f"where they lie in the world that was surveyed ({place})")
    return tuple(lost)
