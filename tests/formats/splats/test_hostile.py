"""Files that try to hurt: cut off, lying about their size, not numbers, leading elsewhere. Each
gets one sentence, quickly and in little memory.
"""

import contextlib
import gzip
import io
import json
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.random_splats import make
from helpers.splat_renders import scene
from hypothesis import given, settings, strategies as st
from PIL import Image

from backend.formats.splats import files
from backend.formats.splats.files import BY_NAME, FORMATS, Tools
from backend.protocol import InputError, SplatsmithError

GOOD: dict[str, bytes] = {}


def good(name: str) -> bytes:
    """A sound file of a format, by its ending."""
    import tempfile

    if name not in GOOD:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"a{name.removesuffix('4')}"
            tools = Tools(spz_version=4 if name.endswith("4") else 3)
            a = replace(make(40, 4), extra={})
            files.write(path, a, files.format_of(path), tools)
            GOOD[name] = path.read_bytes()
    return GOOD[name]


def patched(name: str, place: int, data: bytes) -> bytes:
    whole = bytearray(good(name))
    whole[place : place + len(data)] = data
    return bytes(whole)


def spz(place: int, data: bytes) -> bytes:
    """With another header in the stream."""
    body = bytearray(gzip.decompress(good(".spz")))
    body[place : place + len(data)] = data
    return gzip.compress(bytes(body))


def sog(**changes: Any) -> bytes:
    """With parts of the description changed (None: left out), or files by their names."""
    with zipfile.ZipFile(io.BytesIO(good(".sog"))) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    meta = json.loads(parts["meta.json"])
    for key, value in changes.items():
        if key.endswith("_webp"):
            parts[key.replace("_webp", ".webp")] = value
        else:
            meta[key] = value
    parts["meta.json"] = json.dumps(meta).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, data in parts.items():
            if data is not None:
                archive.writestr(n, data)
    return out.getvalue()


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, data in parts.items():
            archive.writestr(n.replace("_json", ".json"), data)
    return out.getvalue()


def picture(width: int, height: int, color: str | int = 0) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (width, height), color).save(out, "WEBP", lossless=True)
    return out.getvalue()


def lying_png(width: int, height: int) -> bytes:
    """A header that promises so many pixels."""
    out = io.BytesIO()
    Image.new("RGBA", (1, 1)).save(out, "PNG")
    data = bytearray(out.getvalue())
    data[16:24] = struct.pack(">II", width, height)
    import zlib

    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def glb(change: Callable[[dict], None]) -> bytes:
    data = good(".glb")
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size])
    change(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + size :]
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + rest


def setting(*path: Any, value: Any) -> Callable[[dict], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


def compressed(old: bytes, new: bytes) -> bytes:
    data = good(".compressed.ply")
    assert old in data
    return data.replace(old, new, 1)


def usda(body: str, head: str = "#usda 1.0\n") -> bytes:
    text = f'{head}def ParticleField3DGaussianSplat "A"\n{{\n{body}\n}}\n'
    return text.encode()


def ksplat(place: int, data: bytes, size: int = 4096 + 1024 + 400) -> bytes:
    whole = bytearray(size)
    whole[:24] = struct.pack("<BBxxIIIIHxx", 0, 1, 1, 1, 4, 4, 0)
    section = struct.pack("<IIIIfHxxIIIIH", 4, 4, 256, 1, 5.0, 12, 0, 0, 0, 1, 0)
    whole[4096 : 4096 + len(section)] = section
    whole[place : place + len(data)] = data
    return bytes(whole)


NAN, HUGE = struct.pack("<f", float("nan")), struct.pack("<I", 2**32 - 1)
ROT = "orientations = [(1, 0, 0, 0)]\nquatf[] x"
SPLAT = (
    "point3f[] positions = [(0, 0, 0)]\nquatf[] orientations = [(1, 0, 0, 0)]\n"
    "float3[] scales = [(1, 1, 1)]\nfloat[] opacities = [1]\n"
    "uniform int radiance:sphericalHarmonicsDegree = 0\n"
    "float3[] radiance:sphericalHarmonicsCoefficients = [(0, 0, 0)]"
)
ROTATION = "KHR_gaussian_splatting:ROTATION"
HOSTILE: dict[str, Callable[[], bytes]] = {
    # .splat
    "empty.splat": lambda: b"",
    "short.splat": lambda: good(".splat")[:-1],
    "text.splat": lambda: b"hello, splats!",
    "nan.splat": lambda: NAN * 8 * 10,
    # .ksplat
    "empty.ksplat": lambda: b"",
    "short.ksplat": lambda: ksplat(0, b"")[:4000],
    "version.ksplat": lambda: ksplat(0, b"\x07\x07"),
    "sections.ksplat": lambda: ksplat(4, HUGE),
    "count.ksplat": lambda: ksplat(16, HUGE),
    "level.ksplat": lambda: ksplat(20, b"\x09"),
    "room.ksplat": lambda: ksplat(4096 + 4, HUGE),
    "more than room.ksplat": lambda: ksplat(4096, struct.pack("<II", 5, 4)),
    "buckets.ksplat": lambda: ksplat(4096 + 12, HUGE),
    "bucket size.ksplat": lambda: ksplat(4096 + 20, b"\x01\x00"),
    "partial.ksplat": lambda: ksplat(4096 + 36, HUGE),
    "degree.ksplat": lambda: ksplat(4096 + 40, b"\x09"),
    "no buckets.ksplat": lambda: ksplat(20, b"\x01")[:4096]
    + ksplat(4096 + 32, struct.pack("<II", 0, 0))[4096:],
    "no sections.ksplat": lambda: ksplat(4, bytes(4)),
    # SPZ
    "empty.spz": lambda: b"",
    "text.spz": lambda: b"hello, splats!",
    "short gzip.spz": lambda: good(".spz")[:20],
    "cut.spz": lambda: good(".spz")[:-40],
    "gzip of nothing.spz": lambda: gzip.compress(b""),
    "gzip of text.spz": lambda: gzip.compress(b"hello" * 100),
    "version.spz": lambda: spz(4, struct.pack("<I", 9)),
    "version 0.spz": lambda: spz(4, bytes(4)),
    "count.spz": lambda: spz(8, HUGE),
    "a bit more.spz": lambda: spz(8, struct.pack("<I", 41)),
    "none.spz": lambda: spz(8, bytes(4)),
    "degree.spz": lambda: spz(12, b"\x09"),
    "bits.spz": lambda: spz(13, b"\xff"),
    "bomb.spz": lambda: gzip.compress(
        struct.pack("<IIIBBBB", 0x5053474E, 3, 50_000_000, 3, 12, 0, 0) + bytes(64 << 20), 1
    )[: 200 << 10],
    "raw lie.spz": lambda: struct.pack("<IIIBBBB", 0x5053474E, 2, 10**6, 3, 12, 0, 0) + bytes(99),
    "header.spz": lambda: good(".spz4")[:20],
    "cut table.spz": lambda: good(".spz4")[:60],
    "cut streams.spz": lambda: good(".spz4")[:-30],
    "many streams.spz": lambda: patched(".spz4", 15, b"\xff"),
    "table place.spz": lambda: patched(".spz4", 16, HUGE),
    "table in header.spz": lambda: patched(".spz4", 16, bytes(4)),
    "stream size.spz": lambda: patched(".spz4", 32, b"\xff" * 8),
    "unpacked size.spz": lambda: patched(".spz4", 40, b"\xff" * 8),
    "count of streams.spz": lambda: patched(".spz4", 8, struct.pack("<I", 2**31)),
    "damaged stream.spz": lambda: patched(".spz4", 32 + 96, b"\0" * 30),
    # SOG
    "empty.sog": lambda: b"",
    "text.sog": lambda: b"hello, splats!",
    "cut.sog": lambda: good(".sog")[: len(good(".sog")) // 2],
    "empty zip.sog": lambda: zipped(),
    "no json.sog": lambda: zipped(meta_json=b"{"),
    "deep json.sog": lambda: zipped(meta_json=b"[" * 200_000),
    "list.sog": lambda: zipped(meta_json=b"[1, 2]"),
    "binary json.sog": lambda: zipped(meta_json=b"\xff\xfe\0\x01"),
    "meta bomb.sog": lambda: zipped(meta_json=b" " * (64 << 20)),
    "version.sog": lambda: sog(version=7),
    "count.sog": lambda: sog(count=10**12),
    "count of words.sog": lambda: sog(count="many"),
    "negative count.sog": lambda: sog(count=-4),
    "true count.sog": lambda: sog(count=True),
    "more.sog": lambda: sog(count=2**27),
    "out of the folder.sog": lambda: sog(quats={"files": ["../../etc/passwd"]}),
    "absolute.sog": lambda: sog(quats={"files": ["/etc/passwd"]}),
    "backslash.sog": lambda: sog(quats={"files": ["..\\quats.webp"]}),
    "no name.sog": lambda: sog(quats={"files": [None]}),
    "no files.sog": lambda: sog(quats={}),
    "no part.sog": lambda: sog(sh0=None),
    "missing part.sog": lambda: sog(quats_webp=None),
    "no picture.sog": lambda: sog(quats_webp=b"hello"),
    "small picture.sog": lambda: sog(quats_webp=picture(2, 2)),
    "large picture.sog": lambda: sog(quats_webp=picture(4000, 4000)),
    "lying picture.sog": lambda: sog(quats_webp=lying_png(60000, 60000)),
    "picture bomb.sog": lambda: sog(quats_webp=bytes(80 << 20)),
    "cut picture.sog": lambda: sog(means_l_webp=picture(64, 64)[:16]),
    "short codebook.sog": lambda: sog(scales={"codebook": [1.0], "files": ["scales.webp"]}),
    "words in codebook.sog": lambda: sog(scales={"codebook": ["x"], "files": ["scales.webp"]}),
    "no codebook.sog": lambda: sog(scales={"files": ["scales.webp"]}),
    "no bounds.sog": lambda: sog(means={"files": ["means_l.webp", "means_u.webp"]}),
    "infinite bounds.sog": lambda: sog(
        means={"mins": [1e308] * 3, "maxs": [1e308] * 3, "files": ["means_l.webp", "means_u.webp"]}
    ),
    "palette.sog": lambda: sog(shN_centroids_webp=picture(100, 100)),
    "small palette.sog": lambda: sog(shN_labels_webp=picture(100, 100, "white")),
    "bands.sog": lambda: sog(shN={"bands": 3, "files": ["shN_centroids.webp", "shN_labels.webp"]}),
    # compressed PLY
    "cut.compressed.ply": lambda: good(".compressed.ply")[:-9],
    "count.compressed.ply": lambda: compressed(b"element vertex 40", b"element vertex 99999999"),
    "chunks.compressed.ply": lambda: compressed(b"element chunk 1", b"element chunk 0"),
    "many chunks.compressed.ply": lambda: compressed(b"element chunk 1", b"element chunk 99999999"),
    "no chunks.compressed.ply": lambda: compressed(b"element chunk", b"element chonk"),
    "bounds.compressed.ply": lambda: compressed(b"min_scale_x", b"max_scale_w"),
    "types.compressed.ply": lambda: compressed(b"uint packed_scale", b"float packed_scale"),
    "harmonics.compressed.ply": lambda: compressed(b"element sh 40", b"element sh 39"),
    "degree.compressed.ply": lambda: compressed(b"property uchar f_rest_8\n", b""),
    "names.compressed.ply": lambda: compressed(b"uchar f_rest_8", b"uchar f_rest_9"),
    "nan.compressed.ply": lambda: good(".compressed.ply").split(b"end_header\n")[0]
    + b"end_header\n"
    + NAN * (18 + 4 * 40 + 9 * 10),
    # glTF
    "empty.glb": lambda: b"",
    "text.glb": lambda: b"hello, splats!",
    "version.glb": lambda: patched(".glb", 4, b"\x01"),
    "cut.glb": lambda: good(".glb")[:-50],
    "header.glb": lambda: good(".glb")[:16],
    "chunk.glb": lambda: patched(".glb", 12, HUGE),
    "no json.glb": lambda: patched(".glb", 20, b"<<<<"),
    "scene.glb": lambda: glb(setting("scene", value=9)),
    "root.glb": lambda: glb(setting("scenes", 0, "nodes", 0, value=-1)),
    "circle.glb": lambda: glb(setting("nodes", 0, "children", value=[0])),
    "matrix.glb": lambda: glb(setting("nodes", 0, "matrix", value=[1, 2])),
    "zero matrix.glb": lambda: glb(setting("nodes", 0, "matrix", value=[0] * 16)),
    "words in matrix.glb": lambda: glb(setting("nodes", 0, "matrix", value=["x"] * 16)),
    "count.glb": lambda: glb(setting("accessors", 0, "count", value=2**40)),
    "lengths.glb": lambda: glb(setting("accessors", 2, "count", value=39)),
    "stride.glb": lambda: glb(setting("bufferViews", 0, "byteStride", value=1)),
    "view.glb": lambda: glb(setting("bufferViews", 0, "byteOffset", value=2**40)),
    "negative view.glb": lambda: glb(setting("bufferViews", 0, "byteOffset", value=-8)),
    "buffer.glb": lambda: glb(setting("buffers", 0, "uri", value="../../../etc/passwd")),
    "absolute buffer.glb": lambda: glb(setting("buffers", 0, "uri", value="file:///etc/passwd")),
    "hidden buffer.glb": lambda: glb(setting("buffers", 0, "uri", value="%2e%2e%2fpasswd")),
    "damaged buffer.glb": lambda: glb(setting("buffers", 0, "uri", value="data:;base64,%%%")),
    "kind.glb": lambda: glb(setting("accessors", 0, "componentType", value=1)),
    "sparse.glb": lambda: glb(setting("accessors", 0, "sparse", value={})),
    "type.glb": lambda: glb(setting("accessors", 2, "type", value="VEC3")),
    "kernel.glb": lambda: glb(
        setting("meshes", 0, "primitives", 0, "extensions", "KHR_gaussian_splatting", "kernel",
                value="cube")
    ),
    "no rotation.glb": lambda: glb(
        lambda d: d["meshes"][0]["primitives"][0]["attributes"].pop(ROTATION)
    ),
    "attributes.glb": lambda: glb(setting("meshes", 0, "primitives", 0, "attributes", value=[1])),
    "no meshes.glb": lambda: glb(setting("meshes", value={})),
    "list.gltf": lambda: b"[]",
    "deep.gltf": lambda: b'{"a":' * 200_000,
    # USD
    "empty.usda": lambda: b"",
    "text.usda": lambda: b"hello, splats!",
    "text.usdc": lambda: b"hello, splats!",
    "cut.usdc": lambda: good(".usdc")[:300],
    "magic.usdc": lambda: b"PXR-USDC" + bytes(200),
    "syntax.usda": lambda: usda("point3f[] positions = [(0, 0"),
    "nothing.usda": lambda: usda(""),
    "lengths.usda": lambda: usda(SPLAT.replace("[(1, 1, 1)]", "[]")),
    "opacities.usda": lambda: usda(SPLAT.replace("opacities = [1]", "opacities = [1, 1]")),
    "degree.usda": lambda: usda(SPLAT.replace("Degree = 0", "Degree = 9")),
    "harmonics.usda": lambda: usda(SPLAT.replace("Degree = 0", "Degree = 2")),
    "nan.usda": lambda: usda(SPLAT.replace("(0, 0, 0)]", "(nan, 0, 0)]", 1)),
    # by their names
    "a.obj": lambda: b"v 0 0 0",
    "missing.spz": lambda: b"",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_get_a_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if not name.startswith("missing"):
        path.write_bytes(HOSTILE[name]())
    started = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            files.read(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    text = caught.value.what
    assert name in text and text.endswith(".") and caught.value.advice and "\n" not in text
    assert time.process_time() - started < 5 and most < 200 << 20


def test_there_are_many() -> None:
    assert len(HOSTILE) >= 120


@pytest.mark.parametrize("name", [f.suffixes[0] for f in FORMATS] + [".spz4"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_files_never_crash(name: str, data: st.DataObject) -> None:
    """A sound file with bytes changed or cut off is read or refused, nothing else."""
    import tempfile

    raw = bytearray(good(name))
    head = min(len(raw), 1500)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.one_of(st.integers(0, head - 1), st.integers(0, len(raw) - 1)))
        raw[place] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{name.removesuffix('4')}"
        path.write_bytes(raw[: data.draw(st.one_of(st.just(len(raw)), st.integers(1, len(raw))))])
        with contextlib.suppress(SplatsmithError):
            a = files.read(path)
            assert all(np.isfinite(v).all() for v in (a.means, a.quats, a.log_scales, a.sh))


@pytest.mark.parametrize("name", [f.name for f in files.FORMATS])
def test_folders_and_missing_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{BY_NAME[name].suffixes[0]}"
    with pytest.raises(InputError, match=r"can't be read|There is no file"):
        files.read(path)
    path.mkdir()
    with pytest.raises(InputError):
        files.read(path)


@pytest.mark.process  # USD among them
def test_some_splats_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    """Of a format without a place for NaN there are none; of the others, they are named."""
    a = scene(50, 0)
    a.means[3, 1], a.log_scales[4, 0] = np.nan, np.inf
    for name in ("ply", "splat", "gltf", "usd"):
        path = tmp_path / f"a{BY_NAME[name].suffixes[0]}"
        with np.errstate(all="ignore"), contextlib.suppress(ValueError):
            files.write(path, a, BY_NAME[name])
        if path.is_file():
            b = files.read(path)
            assert len(b) == 48 and b.left_out == ("2 splats whose values are not finite",)


@pytest.mark.parametrize("status", [-11, 1, 3221225477])
def test_what_crashes_openusd_does_not_crash_us(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damaged files make its reader crash now and then (1 of 5,000), so another process goes first;
    where none can, the file is read all the same.
    """
    import subprocess

    (tmp_path / "a.usdc").write_bytes(good(".usdc"))
    done: subprocess.CompletedProcess[bytes] = subprocess.CompletedProcess([], status)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(InputError, match="damaged"):
        files.read(tmp_path / "a.usdc")
    done.returncode = 7  # the library is not there
    assert len(files.read(tmp_path / "a.usdc")) == 40
