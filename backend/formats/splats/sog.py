"""SOG (PlayCanvas), reading: splats as lossless pictures and a description of them. Version 2, and
the first one, which had no number.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...geometry.arrays import Floats, Ints, Pixels
from ..splat_arrays import SplatArrays, logits_of, sound
from ..splat_notes import SplatNotes, notes_of
from .packing import bad_file, with_largest
from .sog_files import KIND, Load, open_parts
from .webp import PILLOW, WebP

ROW = 64  # entries of the palette side by side in a picture
COEFFICIENTS = (0, 3, 8, 15)  # a channel beyond the first, by degree
WIDTHS = {ROW * c: degree for degree, c in enumerate(COEFFICIENTS) if c}
MOST = 1 << 28  # splats


def read(path: Path, webp: WebP = PILLOW) -> SplatArrays:
    """A bundle, a folder or its meta.json. Raises InputError for anything that is no SOG."""
    meta, load = open_parts(path)
    source = _Source(path.name, meta, load, webp)
    version = meta.get("version")
    if version not in (None, 1, 2):
        raise source.bad(f"its version is {str(version)[:20]}, and 1 and 2 are known")
    count = _count(source, version == 2)
    colors = source.pixels("sh0", 0, count)
    turns = source.pixels("quats", 0, count)
    known = turns[:, 3] >= 252
    others = (turns[:, :3] / np.float32(127.5) - 1) * np.float32(2**-0.5)
    quats = with_largest(np.where(known, turns[:, 3], 252) - 252, others)
    quats[~known] = [1, 0, 0, 0]
    base, logits = _base(source, colors, version == 2)
    harmonics = _harmonics(source, count, version == 2)
    arrays = SplatArrays(
        means=_means(source, count),
        quats=quats,
        log_scales=source.values("scales", source.pixels("scales", 0, count)[:, :3], version == 2),
        opacity_logits=logits,
        sh=np.concatenate([base[:, None], harmonics], 1),
        notes=_notes(meta),
    )
    return sound(arrays, path.name)


def _notes(meta: dict[str, Any]) -> SplatNotes:
    extras = meta.get("extras")
    lines = extras.get("splatsmith") if isinstance(extras, dict) else None
    notes = notes_of([x for x in lines if isinstance(x, str)] if isinstance(lines, list) else [])
    antialiased = notes.antialiased or meta.get("antialias") is True
    return replace(notes, antialiased=antialiased)


def _count(source: "_Source", counted: bool) -> int:
    shape = source.meta["means"].get("shape")
    count = source.meta.get("count") if counted else shape[0] if isinstance(shape, list) else None
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count < MOST:
        raise source.bad("it does not say how many splats it holds")
    return count


def _means(source: "_Source", count: int) -> Floats:
    low, high = source.pixels("means", 0, count), source.pixels("means", 1, count)
    first, last = source.numbers("means", "mins", 3), source.numbers("means", "maxs", 3)
    whole = low[:, :3] | high[:, :3].astype(np.uint16) << 8
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is left out later
        logs = first + (last - first) * (whole / np.float64(65535))
        return (np.sign(logs) * np.expm1(np.abs(logs))).astype(np.float32)


def _base(source: "_Source", pixels: Pixels, coded: bool) -> tuple[Floats, Floats]:
    """The first coefficients (N, 3), and opacity logits (N,)."""
    shares = pixels[:, 3] / np.float64(255)
    if coded:
        return source.values("sh0", pixels[:, :3], True), logits_of(shares)
    first, last = source.numbers("sh0", "mins", 4), source.numbers("sh0", "maxs", 4)
    logits = first[3] + (last[3] - first[3]) * shares
    base = first[:3] + (last[:3] - first[:3]) * (pixels[:, :3] / np.float64(255))
    return base.astype(np.float32), logits.astype(np.float32)


def _harmonics(source: "_Source", count: int, coded: bool) -> Floats:
    """(N, K - 1, 3) by way of the palette."""
    part = source.meta.get("shN")
    if part is None:
        return np.empty((count, 0, 3), np.float32)
    entries = source.picture("shN", 0, ROW * 15 * (1 << 10) * 2)
    degree = WIDTHS.get(entries.shape[1], 0)
    if not degree or (coded and part.get("bands") != degree):
        raise source.bad("the palette of its harmonics fits no degree")
    pixels = source.pixels("shN", 1, count)
    labels: Ints = pixels[:, 0].astype(np.int64) | pixels[:, 1].astype(np.int64) << 8
    table = source.values("shN", entries[..., :3], coded).reshape(-1, COEFFICIENTS[degree], 3)
    if labels.max(initial=0) >= len(table):
        raise source.bad("its harmonics point beyond their palette")
    return np.asarray(table[labels])


@dataclass(frozen=True)
class _Source:
    """What the file says, and its pictures."""

    name: str
    meta: dict[str, Any]
    load: Load
    webp: WebP

    def bad(self, why: str) -> Exception:
        """The error that names the file."""
        return bad_file(self.name, KIND, why)

    def picture(self, part: str, number: int, most: int) -> Pixels:
        """(H, W, 4) of at most so many pixels."""
        section = self.meta.get(part)
        files = section.get("files") if isinstance(section, dict) else None
        if not isinstance(files, list) or len(files) <= number:
            raise self.bad(f"it does not name the picture of {part}")
        data = self.load(files[number])
        try:
            return self.webp.decode(data, most)
        except (ValueError, OSError, SyntaxError) as error:
            raise self.bad(f"the picture of {part} is damaged, or larger than it may be") from error

    def pixels(self, part: str, number: int, count: int) -> Pixels:
        """(count, 4) of a picture with a pixel a splat."""
        pixels = self.picture(part, number, 4 * count + (1 << 20)).reshape(-1, 4)
        if len(pixels) < count:
            raise self.bad(f"it promises {count} splats, and the picture of {part} holds fewer")
        return pixels[:count]

    def numbers(self, part: str, key: str, size: int) -> Floats:
        """(size,) of a list in the description, or of one number for all."""
        values = self.meta[part].get(key) if isinstance(self.meta.get(part), dict) else None
        values = values if isinstance(values, list) else [values] * size
        if len(values) < size or not all(isinstance(v, int | float) for v in values):
            raise self.bad(f"{key} of {part} are no numbers")
        with np.errstate(over="ignore"):
            return np.array(values[:size], np.float64).astype(np.float32)

    def values(self, part: str, pixels: Pixels, coded: bool) -> Floats:
        """What the bytes (…, 3) stand for."""
        if coded:
            book = self.meta[part].get("codebook")
            size = len(book) if isinstance(book, list) else 0
            entries = np.zeros(256, np.float32)
            entries[: min(size, 256)] = self.numbers(part, "codebook", size)[:256]
            if pixels.max(initial=0) >= size:
                raise self.bad(f"the codebook of {part} has too few entries")
            return entries[pixels]
        first, last = self.numbers(part, "mins", 3), self.numbers(part, "maxs", 3)
        return (first + (last - first) * (pixels / np.float32(255))).astype(np.float32)
