"""Splats in USD: the schema ParticleField3DGaussianSplat of OpenUSD 26.03 and later. Written and
read without it, so that older libraries, such as Blender 4.5's, can do it too.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...geometry.arrays import Doubles, Floats
from ...protocol import InputError, SetupError
from .. import splat_moves
from ..splat_arrays import COEFFICIENTS, SplatArrays, joined, logits_of, opacities_of, sound
from ..splat_notes import comments_of, notes_of
from .axes import HALF_TURN, Y_UP, placed
from .packing import bad_file, beside, colors_of, read_bytes
from .usd_probe import can_be_read

KIND = "USD"
SCHEMA = "ParticleField3DGaussianSplat"
SH, DEGREE = "radiance:sphericalHarmonicsCoefficients", "radiance:sphericalHarmonicsDegree"
OURS = "splatsmith"  # in the prim's custom data
Pxr = Callable[[], Any]


def bundled() -> Any:
    """The package usd-core, or Blender's own where that has been brought into sight."""
    try:
        import pxr.Gf
        import pxr.Sdf
        import pxr.Usd
        import pxr.UsdGeom
        import pxr.Vt
    except ImportError as error:
        raise SetupError(
            "USD files need the package usd-core.", "Set up computing, or use glTF instead."
        ) from error
    return pxr


def read(path: Path, pxr: Pxr = bundled) -> SplatArrays:
    """All splats of the stage, in the axes of PLY files. Raises InputError where there are none."""
    read_bytes(path, KIND)  # missing and empty files get their sentences
    library = pxr()
    if not can_be_read(path, SCHEMA, library):
        raise bad_file(path.name, KIND, "it is damaged, or no USD")
    try:
        return _read(path, library)
    except (library.Tf.ErrorException, RuntimeError, ValueError, TypeError) as error:
        raise bad_file(path.name, KIND, "it is damaged") from error


def _read(path: Path, library: Any) -> SplatArrays:
    stage = library.Usd.Stage.Open(str(path))
    prims = [p for p in stage.Traverse() if p.GetTypeName() == SCHEMA]
    if not prims:
        raise InputError(
            f"{path.name} holds no Gaussian splats.",
            f"Choose a USD file with a {SCHEMA}; meshes are imported by Blender itself.",
        )
    up = library.UsdGeom.GetStageUpAxis(stage)
    to_y_up = Y_UP if up == library.UsdGeom.Tokens.z else np.eye(4)
    cache = library.UsdGeom.XformCache()
    parts = []
    for prim in prims:
        placed_by = cache.GetLocalToWorldTransform(prim)
        if not prim.IsA(library.UsdGeom.Xformable):  # as where the library does not know the schema
            placed_by = _own_transform(library, prim) * placed_by
        matrix = np.array(placed_by, np.float64).T
        if not abs(np.linalg.det(matrix[:3, :3])) > 1e-30:  # NaN is
            raise bad_file(path.name, KIND, "a transform flattens its splats to nothing")
        arrays = _splats(path.name, prim)
        parts.append((arrays, _back(arrays, to_y_up @ matrix)))
    whole = joined(splat_moves.placed_near(parts))
    others = sum(p.IsA(library.UsdGeom.Gprim) and p not in prims for p in stage.Traverse())
    return replace(whole, left_out=(*whole.left_out, *beside(others)))


def _own_transform(library: Any, prim: Any) -> Any:
    """Of a prim's own operations, the last one first."""
    matrix = library.Gf.Matrix4d(1)
    for name in prim.GetAttribute("xformOpOrder").Get() or []:
        inverse = name.startswith("!invert!")
        attribute = prim.GetAttribute(name.removeprefix("!invert!"))
        if attribute:
            operation = library.UsdGeom.XformOp(attribute, inverse)
            matrix = operation.GetOpTransform(library.Usd.TimeCode.Default()) * matrix
    return matrix


def _back(a: SplatArrays, matrix: Doubles) -> Doubles | None:
    """What moves the splats where the stage has them; None for ours, which are as written."""
    if np.abs(matrix - placed(a)).max() < 1e-5 * max(1, np.abs(matrix).max()):
        return None
    return np.asarray(HALF_TURN @ matrix)


def _splats(name: str, prim: Any) -> SplatArrays:
    means = _values(name, prim, "positions", (-1, 3))
    count = len(means)
    quats = _quats(name, prim, count)
    degree = prim.GetAttribute(DEGREE).Get() if prim.HasAttribute(DEGREE) else 3
    if degree not in range(len(COEFFICIENTS)):
        raise bad_file(name, KIND, f"its harmonics are of degree {degree}")
    sh = _values(name, prim, SH, (count, COEFFICIENTS[degree], 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scales = np.log(_values(name, prim, "scales", (count, 3)))
    opacities = _values(name, prim, "opacities", (count,))
    lines = prim.GetCustomDataByKey(OURS) or ""
    arrays = SplatArrays(
        means=means,
        quats=quats,
        log_scales=log_scales,
        opacity_logits=logits_of(opacities.astype(np.float64)),
        sh=sh,
        extra=_extras(prim, count),
        notes=notes_of(str(lines).splitlines()),
    )
    return sound(arrays, name)


def _values(name: str, prim: Any, key: str, shape: tuple[int, ...]) -> Floats:
    """The attribute, or the one in half floats that the schema has beside it."""
    value = prim.GetAttribute(key).Get() or prim.GetAttribute(f"{key}h").Get()
    if value is None:
        raise bad_file(name, KIND, f"it lacks {key}")
    try:
        return np.array(value, np.float32).reshape(shape)
    except (ValueError, TypeError) as error:
        raise bad_file(name, KIND, f"{key} has another length than positions") from error


def _quats(name: str, prim: Any, count: int) -> Floats:
    """(N, 4) wxyz. numpy sees the library's quaternions as x, y, z, w."""
    return _values(name, prim, "orientations", (count, 4))[:, [3, 0, 1, 2]]


def _extras(prim: Any, count: int) -> dict[str, Any]:
    """The primvars by splat that hold one number each."""
    primvars = {}
    for attribute in prim.GetAttributes():
        name = attribute.GetName().removeprefix("primvars:")
        if not attribute.GetName().startswith("primvars:") or not name.isidentifier():
            continue
        kind = {"int[]": np.int32, "float[]": np.float32}.get(str(attribute.GetTypeName()))
        value = attribute.Get() if kind else None
        if value is not None and len(value) == count and name != "displayOpacity":
            primvars[name] = np.array(value, kind)
    return primvars


def write(path: Path, a: SplatArrays, pxr: Pxr = bundled) -> tuple[str, ...]:
    """Writes .usd, .usdc or .usda: one prim, y up, metres."""
    library = pxr()
    Sdf = library.Sdf
    layer = Sdf.Layer.CreateNew(str(path))
    layer.pseudoRoot.SetInfo("upAxis", "Y")
    layer.pseudoRoot.SetInfo("metersPerUnit", 1.0)
    layer.defaultPrim = "Splats"
    with Sdf.ChangeBlock():
        prim = Sdf.PrimSpec(layer, "Splats", Sdf.SpecifierDef, SCHEMA)
        if comments_of(a.notes):
            prim.customData = {OURS: "\n".join(comments_of(a.notes))}
        for key, kind, value, uniform in _attributes(library, a):
            variability = Sdf.VariabilityUniform if uniform else Sdf.VariabilityVarying
            spec = Sdf.AttributeSpec(prim, key, kind, variability)
            spec.default = value
            if key.startswith("primvars:"):
                spec.SetInfo("interpolation", "vertex")
    if not layer.Save():
        raise InputError(f"{path} can't be written.", "Choose another place.")
    return ()


def _attributes(library: Any, a: SplatArrays) -> list[tuple[str, Any, Any, bool]]:
    """Name, type, value, and whether it is one for all time."""
    names, Vt = library.Sdf.ValueTypeNames, library.Vt
    array = Vt.Vec3fArray.FromNumpy
    opacities = np.clip(opacities_of(a), 0, 1)
    reach = 3 * np.exp(a.log_scales.max(1, initial=-50))[:, None]
    extent = np.stack([(a.means - reach).min(0), (a.means + reach).max(0)]) if len(a) else a.means
    order = [1, 2, 3, 0]
    matrix = library.Gf.Matrix4d(placed(a).T.tolist())
    rows = [
        ("positions", names.Point3fArray, array(a.means), False),
        ("orientations", names.QuatfArray, _quatf(Vt, a.quats[:, order]), False),
        ("scales", names.Float3Array, array(np.exp(a.log_scales)), False),
        ("opacities", names.FloatArray, Vt.FloatArray.FromNumpy(opacities), False),
        (SH, names.Float3Array, array(np.ascontiguousarray(a.sh.reshape(-1, 3))), False),
        (DEGREE, names.Int, a.sh_degree, True),
        ("extent", names.Float3Array, array(extent.astype(np.float32)), False),
        ("xformOp:transform", names.Matrix4d, matrix, False),
        ("xformOpOrder", names.TokenArray, Vt.TokenArray(["xformOp:transform"]), True),
    ]
    colors = np.clip(colors_of(a.sh[:, 0]), 0, 1)
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    rows.append(("primvars:displayColor", names.Color3fArray, array(linear.astype("f4")), False))
    for name, values in a.extra.items():
        key = f"primvars:{name}"
        if values.dtype.kind in "iu":
            value = Vt.IntArray.FromNumpy(values.astype(np.int32))
            rows.append((key, names.IntArray, value, False))
        else:
            value = Vt.FloatArray.FromNumpy(values.astype(np.float32))
            rows.append((key, names.FloatArray, value, False))
    return rows


def _quatf(Vt: Any, xyzw: Floats) -> Any:
    return Vt.QuatfArray.FromNumpy(np.ascontiguousarray(xyzw))
