"""Files that other programs wrote, as far as they lie beside the checkout, and many splats at once:
what a round trip costs, and what it loses.
"""

import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.places import DATA
from helpers.splat_renders import pictures, psnr, scene

from backend.formats import splat_ply
from backend.formats.splat_arrays import take
from backend.formats.splats import files
from backend.formats.splats.files import BY_NAME, FORMATS

FILES = {
    "fixtures/minimal.ksplat": 4,
    "fixtures/minimal.splat": 4,
    "fixtures/minimal-raw.spz": 4,
    "fixtures/minimal-v2.spz": 4,
    "fixtures/minimal-v3.spz": 4,
    "fixtures/minimal-v4.spz": 4,
    "fixtures/test.ply": 64,
    "fixtures/unitCube-ascii.ply": 20,
    "guitar_compressed/guitar.compressed.ply": 90_854,
    "inria_7k_small/model (1).splat": 22_764,
    "inria_7k_small/point_cloud.ply": 9_080,
}
# decibels at least; what SPZ's bytes say of colour and size is coarser
FAITHFUL = {"ply": 120, "compressed-ply": 45, "spz": 40, "sog": 40, "gltf": 100, "usd": 100}


@pytest.mark.data
@pytest.mark.process  # USD among them
@pytest.mark.skipif(not (DATA / "splats").is_dir(), reason="no ../shared/data")
@pytest.mark.parametrize("name", FILES)
def test_round_trips_of_others_files(name: str, tmp_path: Path) -> None:
    a = files.read(DATA / "splats" / name)
    assert len(a) == FILES[name] and not a.left_out
    center = np.median(a.means, 0)
    size = max(float(np.quantile(np.linalg.norm(a.means - center, axis=1), 0.8)), 0.5)
    before = pictures(a, center.tolist(), size)
    assert before.std() > 0.01, "there is something to see"
    for kind, least in FAITHFUL.items():
        path = tmp_path / f"a{BY_NAME[kind].suffixes[0]}"
        assert not files.write(path, a, BY_NAME[kind])
        after = psnr(before, pictures(files.read(path), center.tolist(), size))
        print(f"{name} as {kind}: {path.stat().st_size:,} bytes, {after:.1f} dB")
        assert after > least, kind


@pytest.mark.whole
@pytest.mark.parametrize("name", [f.name for f in FORMATS])
def test_many_splats_take_seconds_and_no_third_copy(name: str, tmp_path: Path) -> None:
    """A fifth of a million: a fifth of 20 CPU s, and three times the size of a PLY."""
    some = scene(20_000)
    many = take(some, np.arange(200_000) % 20_000)
    g = np.random.default_rng(0)
    many = replace(
        many,
        means=many.means + g.normal(0, 0.02, (200_000, 3)).astype(np.float32),
        sh=many.sh + g.normal(0, 0.05, many.sh.shape).astype(np.float32),
    )
    source, path = tmp_path / "a.ply", tmp_path / f"b{BY_NAME[name].suffixes[0]}"
    splat_ply.write(source, many)
    del many, some
    size, started = source.stat().st_size, time.process_time()
    tracemalloc.start()
    try:
        files.write(path, files.read(source), BY_NAME[name])
        files.read(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 3 * size
    assert time.process_time() - started < 2 * 4
