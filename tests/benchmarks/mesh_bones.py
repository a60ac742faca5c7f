"""Bones found for meshes that have none: ours, and py-dem-bones (EA's Dem Bones) beside it where
that is installed.
"""

import time
from pathlib import Path

import numpy as np

from backend.dynamic_mesh.deformation.skinning import SkinningConfig, decompose
from backend.formats.mesh_sequence import skinned
from tests.benchmarks.mesh_clips import film, usable
from tests.benchmarks.table import Row, Table, say

CLIPS, BONES = ("flag", "fox", "horse"), (20, 40)


def run(table: Table, folder: Path) -> None:
    names = usable(CLIPS)
    film(folder, names)
    for name in names:
        with np.load(folder / f"{name}.npz") as data:
            positions, faces = data["vertices"].astype(np.float64), data["faces"]
        for bones in BONES:
            begun = time.process_time()
            nodes = decompose(positions, SkinningConfig(bones=bones))
            _row(
                table,
                f"{name} {bones} bones",
                skinned(positions[0].astype(np.float32), nodes),
                positions,
                time.process_time() - begun,
            )
            begun = time.process_time()
            other = _dem_bones(positions, faces, bones)
            if other is None:
                say("py-dem-bones is not here: pip install py-dem-bones shows it beside ours")
            else:
                _row(
                    table,
                    f"{name} {bones}, py-dem-bones",
                    other,
                    positions,
                    time.process_time() - begun,
                )


def _row(table: Table, case: str, found: np.ndarray, positions: np.ndarray, seconds: float) -> None:
    off = 100 * np.linalg.norm(found - positions, axis=2) / np.ptp(positions, axis=(0, 1)).max()
    table.add(
        Row(
            case,
            "RMS error, % of the box",
            float(np.sqrt(np.square(off).mean())),
            cpu_seconds=seconds,
        )
    )
    table.add(Row(case, "largest error, % of the box", float(off.max()), cpu_seconds=seconds))


def _dem_bones(positions: np.ndarray, faces: np.ndarray, bones: int) -> np.ndarray | None:
    try:
        import py_dem_bones
    except ImportError:
        return None
    solver = py_dem_bones.DemBonesWrapper()
    solver.max_influences, solver.num_iterations = 4, 30
    solver.set_mesh_sequence(positions[0], positions, bone_count=bones, faces=faces.tolist())
    solver.compute()
    found = solver.get_skinning_result()
    rest = np.concatenate([positions[0], np.ones((len(positions[0]), 1))], 1)
    return np.einsum(
        "bv,fbij,vj->fvi",
        np.asarray(found.weights),
        np.asarray(found.transforms)[:, :, :3],
        rest,
        optimize=True,
    )
