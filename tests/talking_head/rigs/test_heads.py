"""The small head: whole, symmetric, and its shapes do what their names say; heads come back from
disk.
"""

from pathlib import Path

import numpy as np
import pytest

from backend.formats import head_file
from backend.formats.arkit import BLENDSHAPES, mirrored
from backend.formats.head_file import Head
from backend.protocol import InputError
from backend.talking_head.rigs.small_head.build import small_head


def test_the_small_head_is_whole() -> None:
    rig = small_head()
    assert (
        rig.names == BLENDSHAPES
        and np.isfinite(rig.shapes).all()
        and np.isfinite(rig.identities).all()
    )
    assert rig.faces[:, :3].min() >= 0 and rig.faces.max() < len(rig.neutral)
    assert all(np.abs(shape).max() > 0.05 for shape in rig.shapes), "no shape is empty"


def test_shapes_move_the_side_that_they_name() -> None:
    rig = small_head()
    for name, shape in zip(rig.names, rig.shapes, strict=True):
        other = rig.shapes[rig.names.index(mirrored(name))]
        np.testing.assert_allclose(np.abs(shape).sum(), np.abs(other).sum(), rtol=0.05)
        if name.endswith("Left") and name not in ("jawLeft", "mouthLeft"):
            size = np.abs(shape).sum(1)
            assert size[rig.neutral[:, 0] > 0].sum() > 3 * size[rig.neutral[:, 0] < 0].sum(), name


def test_a_head_comes_back_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    rig = small_head()
    path = tmp_path / "head.npz"
    head_file.write(
        path,
        Head(
            name="x",
            vertices=rig.neutral,
            faces=rig.faces,
            names=list(rig.names),
            shapes=rig.shapes,
            colors=np.full_like(rig.neutral, 0.5),
            lowest=rig.lowest,
        ),
    )
    found = head_file.read(path)
    np.testing.assert_allclose(found.shapes, rig.shapes, atol=4e-3)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"head\.npz"):
        head_file.read(path)
