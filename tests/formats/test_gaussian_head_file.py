"""Heads of Gaussians on disk: they belong to one mesh."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.archives import change, with_value

from backend.formats import gaussian_head_file
from backend.formats.gaussian_head_file import GaussianHead
from backend.protocol import InputError

VERTICES, SHAPES, N, L = 6, 4, 3, 2
RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float16).astype(np.float32)


HEAD = GaussianHead(
    corners=np.array([[0, 1, 2], [3, 4, 5], [0, 2, 5]], np.int32),
    rest_sizes=floats(N),
    means=floats(N, 3),
    quats=floats(N, 4),
    scales=floats(N, 3),
    opacities=floats(N),
    sh=floats(N, 4, 3),
    mean_shapes=floats(L, N, 3),
    color_shapes=floats(L, N, 3),
    latent_weights=floats(L, SHAPES),
    latent_bias=floats(L),
    invented=floats(N),
    follow=floats(N),
    joint=floats(3),
    yaw_range=floats(2),
)
OPTIONAL = ("invented", "follow", "joint", "yaw_range")  # heads of earlier versions have none


@pytest.fixture
def file(tmp_path: Path) -> Path:
    gaussian_head_file.write(tmp_path / "g.npz", HEAD)
    return tmp_path / "g.npz"


def test_heads_come_back(file: Path) -> None:
    found = gaussian_head_file.read(file, VERTICES, SHAPES)
    for name, values in vars(HEAD).items():
        np.testing.assert_array_equal(getattr(found, name), values)
        assert getattr(found, name).dtype == values.dtype
    with np.load(file) as data:
        assert "Synthetic" in str(data["note"]), "whoever opens the file should know"
        assert data["rest_sizes"].dtype == np.float32 and data["sh"].dtype == np.float16


@pytest.mark.parametrize("name", list(vars(HEAD)))
def test_parts_that_do_not_fit_or_are_missing(name: str, file: Path) -> None:
    values = getattr(HEAD, name)
    wrong = [values[..., :1], values[None]] if values.ndim > 1 else [values[:1], values[None]]
    for changed in wrong:
        change(file, **{name: changed})
        with pytest.raises(InputError, match=r"Gaussian head|another head"):
            gaussian_head_file.read(file, VERTICES, SHAPES)
    change(file, **{name: None})
    if name in OPTIONAL:
        assert getattr(gaussian_head_file.read(file, VERTICES, SHAPES), name) is None
        return
    with pytest.raises(InputError, match="not a Gaussian head"):
        gaussian_head_file.read(file, VERTICES, SHAPES)


@pytest.mark.parametrize("name", [name for name in vars(HEAD) if name != "corners"])
def test_numbers_that_are_none(name: str, file: Path) -> None:
    values = getattr(HEAD, name)
    change(file, **{name: with_value(values, (-1,) * values.ndim, np.nan)})
    with pytest.raises(InputError, match="belongs to another head"):
        gaussian_head_file.read(file, VERTICES, SHAPES)


def test_it_belongs_to_one_mesh(file: Path) -> None:
    for vertices, shapes in ((VERTICES - 1, SHAPES), (VERTICES, SHAPES + 1)):
        with pytest.raises(InputError, match="another head"):
            gaussian_head_file.read(file, vertices, shapes)
    change(file, corners=with_value(HEAD.corners, (0, 0), -1))
    with pytest.raises(InputError, match="another head"):
        gaussian_head_file.read(file, VERTICES, SHAPES)


def test_no_gaussians_are_no_head(file: Path) -> None:
    wanted = {"latent_weights", "latent_bias", "joint", "yaw_range"}
    none: dict[str, Any] = {
        name: values[:0] for name, values in vars(HEAD).items() if name not in wanted
    }
    change(file, **none | {"mean_shapes": np.zeros((L, 0, 3)), "color_shapes": np.zeros((L, 0, 3))})
    with pytest.raises(InputError, match="do not fit together"):
        gaussian_head_file.read(file, VERTICES, SHAPES)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="not a Gaussian head"):
        gaussian_head_file.read(tmp_path / "a.npz", VERTICES, SHAPES)


def test_objects_in_a_file_are_never_run(file: Path) -> None:
    objects = np.empty(N, object)
    objects[:] = [1.0, 2.0, 3.0]  # these could pass for numbers
    change(file, opacities=objects)
    with pytest.raises(InputError, match="not a Gaussian head"):
        gaussian_head_file.read(file, VERTICES, SHAPES)
