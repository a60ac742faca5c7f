"""The 3DGS PLY that every splat viewer reads (Kerbl et al. 2023), with extra vertex properties
carried through.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats
from ..protocol import InputError
from . import ply
from .splat_notes import SplatNotes, agreed, comments_of, notes_of

FILE = "splats.ply"  # what jobs call theirs

REQUIRED = (
    "x",
    "y",
    "z",
    "opacity",
    "scale_0",
    "scale_1",
    "scale_2",
    "rot_0",
    "rot_1",
    "rot_2",
    "rot_3",
    "f_dc_0",
    "f_dc_1",
    "f_dc_2",
)


@dataclass(kw_only=True)
class SplatArrays:
    """N Gaussians as files hold them: logarithmic scales, opacity before the sigmoid."""

    means: Floats  # (N, 3)
    quats: Floats  # (N, 4) wxyz, normalised on reading
    log_scales: Floats  # (N, 3)
    opacity_logits: Floats  # (N,)
    sh: Floats  # (N, K, 3), K = 1, 4, 9 or 16
    extra: dict[str, NDArray[np.generic]] = field(
        default_factory=dict
    )  # per vertex, by property name
    notes: SplatNotes = field(default_factory=SplatNotes)

    def __len__(self) -> int:
        return len(self.means)

    @property
    def sh_degree(self) -> int:
        """0 to 3, from the number of SH coefficients."""
        return int(self.sh.shape[1] ** 0.5) - 1


def _columns(vertices: NDArray[np.void], names: tuple[str, ...] | list[str]) -> Floats:
    return np.stack([vertices[name] for name in names], 1).astype(np.float32, copy=False)


def read(path: Path) -> SplatArrays:
    """Raises InputError for anything that is not a splat PLY, and for splats that are not
    finite.
    """
    vertices = ply.read_vertices(path)
    names = vertices.dtype.names or ()
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        kind = (
            "It looks like SuperSplat's compressed PLY; export it as a plain PLY."
            if "packed_position" in names
            else "Choose a 3DGS PLY."
        )
        raise InputError(
            f"{path.name} holds no Gaussian splats: the property {missing[0]!r} is missing.", kind
        )
    rest = sorted(
        (n for n in names if n.startswith("f_rest_") and n[7:].isdigit()), key=lambda n: int(n[7:])
    )
    if len(rest) not in (0, 9, 24, 45):
        raise InputError(
            f"{path.name} has {len(rest)} colour coefficients, which fit no degree from 0 to 3.",
            "Export it again.",
        )
    sh = _columns(vertices, ["f_dc_0", "f_dc_1", "f_dc_2"])[:, None]
    if rest:  # the file is channel-major: all of red, then green, then blue
        sh = np.concatenate(
            [
                sh,
                _columns(vertices, rest)
                .reshape(len(vertices), 3, len(rest) // 3)
                .transpose(0, 2, 1),
            ],
            1,
        )
    quats = _columns(vertices, [f"rot_{i}" for i in range(4)])
    norms = np.linalg.norm(quats, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # what is NaN stays so, and is left out below
        unit = np.where(
            norms <= 1e-12, np.array([1, 0, 0, 0], np.float32), quats / np.maximum(norms, 1e-12)
        )
    quats = np.where(
        np.abs(norms - 1) < 1e-5, quats, unit
    )  # what is normalised already keeps its bits
    known = {*REQUIRED, *rest, "nx", "ny", "nz"}
    arrays = SplatArrays(
        means=_columns(vertices, ["x", "y", "z"]),
        quats=quats,
        log_scales=_columns(vertices, ["scale_0", "scale_1", "scale_2"]),
        opacity_logits=vertices["opacity"].astype(np.float32),
        sh=np.ascontiguousarray(sh),
        extra={n: vertices[n].copy() for n in names if n not in known},
        notes=notes_of(ply.read_comments(path)),
    )
    return _only_finite(path, arrays)


def _only_finite(path: Path, a: SplatArrays) -> SplatArrays:
    flat = (
        a.means,
        a.quats,
        a.log_scales,
        a.opacity_logits[:, None],
        a.sh.reshape(len(a), 3 * a.sh.shape[1]),
    )
    good = np.logical_and.reduce([np.isfinite(x).all(1) for x in flat]) & (
        np.abs(a.log_scales) < 50
    ).all(1)
    if len(a) and not good.any():
        raise InputError(
            f"None of the splats in {path.name} has finite values.",
            "Export it again from the program that wrote it.",
        )
    return a if good.all() else take(a, good)


def take(a: SplatArrays, index: NDArray[np.generic]) -> SplatArrays:
    """The Gaussians at `index` (numbers or a mask)."""
    extra = {name: values[index] for name, values in a.extra.items()}
    return SplatArrays(
        means=a.means[index],
        quats=a.quats[index],
        log_scales=a.log_scales[index],
        opacity_logits=a.opacity_logits[index],
        sh=a.sh[index],
        extra=extra,
        notes=a.notes,
    )


def joined(parts: list[SplatArrays]) -> SplatArrays:
    """Several, one at least, as one, of the highest degree among them. Extra properties that not
    all have are left out; notes stay where all agree.
    """
    if len(parts) == 1:
        return parts[0]
    width = max(a.sh.shape[1] for a in parts)
    names = set.intersection(*({*a.extra} for a in parts))
    return SplatArrays(
        means=np.concatenate([a.means for a in parts]),
        quats=np.concatenate([a.quats for a in parts]),
        log_scales=np.concatenate([a.log_scales for a in parts]),
        opacity_logits=np.concatenate([a.opacity_logits for a in parts]),
        sh=np.concatenate(
            [np.pad(a.sh, ((0, 0), (0, width - a.sh.shape[1]), (0, 0))) for a in parts]
        ),
        extra={n: np.concatenate([a.extra[n] for a in parts]) for n in sorted(names)},
        notes=agreed([a.notes for a in parts]),
    )


def write(path: Path, a: SplatArrays, comments: tuple[str, ...] = ()) -> None:
    """Writes the layout that the original implementation writes, normals included."""
    rest = a.sh[:, 1:].transpose(0, 2, 1).reshape(len(a), 3 * (a.sh.shape[1] - 1))
    columns: dict[str, NDArray[np.generic]] = {n: a.means[:, i] for i, n in enumerate("xyz")}
    columns |= dict.fromkeys(("nx", "ny", "nz"), np.zeros(len(a), np.float32))
    columns |= {f"f_dc_{i}": a.sh[:, 0, i] for i in range(3)} | {
        f"f_rest_{i}": rest[:, i] for i in range(rest.shape[1])
    }
    columns |= {"opacity": a.opacity_logits} | {f"scale_{i}": a.log_scales[:, i] for i in range(3)}
    columns |= {f"rot_{i}": a.quats[:, i] for i in range(4)} | a.extra
    vertices = np.empty(
        len(a), [(n, v.dtype.str[1:] if n in a.extra else "f4") for n, v in columns.items()]
    )
    for name, values in columns.items():
        vertices[name] = values
    ply.write_vertices(path, vertices, (*comments, *comments_of(a.notes)))
