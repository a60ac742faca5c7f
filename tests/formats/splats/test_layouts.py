"""Files that the tests put together byte by byte, as the formats' descriptions have them."""

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.formats import splat_moves
from backend.formats.splat_arrays import opacities_of
from backend.formats.splats import files
from backend.protocol import InputError

C0 = 0.28209479177387814


def test_splat_rows(tmp_path: Path) -> None:
    rows = [
        struct.pack("<6f8B", 1, -2, 3, 0.1, 0.2, 0.4, 255, 128, 0, 255, 255, 128, 128, 128),
        struct.pack("<6f8B", 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 128, 128, 192, 128),
    ]
    (tmp_path / "a.splat").write_bytes(b"".join(rows))
    a = files.read(tmp_path / "a.splat")
    assert a.means.tolist() == [[1, -2, 3], [0, 0, 0]]
    np.testing.assert_allclose(np.exp(a.log_scales[0]), [0.1, 0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(a.quats, [[1, 0, 0, 0], [0, 0, 1, 0]], atol=1e-6)
    np.testing.assert_allclose(a.sh[0, 0] * C0 + 0.5, [1, 128 / 255, 0], atol=1e-6)
    np.testing.assert_allclose(opacities_of(a), [1, 0], atol=1e-8)
    assert a.log_scales[1, 2] == np.float32(-49.5), "a size of 0 is flat"


def spz_body(version: int, degree: int = 1, flags: int = 0) -> bytes:
    """Two splats: at (1, 2, -3) and far, turned a quarter about x and about z."""
    header = struct.pack("<IIIBBBB", 0x5053474E, version, 2, degree, 12, flags, 0)
    places = [1.0, 2.0, -3.0, -500.25, 0.0, 0.5]
    if version == 1:
        body = np.array(places, "<f2").tobytes()
    else:
        body = b"".join(int(v * 4096).to_bytes(3, "little", signed=True) for v in places)
    body += bytes([255, 51]) + bytes([128, 0, 255, 127, 128, 129])
    body += bytes([160, 144, 80, 160, 160, 160])
    half = 0.5**0.5
    if version < 3:
        turns = [[half, 0, 0], [0, 0, -half]]
        body += bytes(round(v * 127.5 + 127.5) for turn in turns for v in turn)
    else:  # the largest is w, of which there is as much as of x: x, y, z in ten bits each
        first = 3 << 30 | 511 << 20
        second = 3 << 30 | 1023
        body += struct.pack("<II", first, second)
    sh = [[64, 128, 192], [128, 128, 160], [0, 255, 128]]
    body += bytes(v for row in sh for v in row) * 2 if degree else b""
    return header + body


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("packed", [True, False])
def test_spz_of_one_stream(version: int, packed: bool, tmp_path: Path) -> None:
    body = spz_body(version, flags=1)
    (tmp_path / "a.spz").write_bytes(gzip.compress(body) if packed else body)
    a = files.read(tmp_path / "a.spz")
    np.testing.assert_allclose(a.means, [[1.0, -2, 3], [-500.25, 0, -0.5]], atol=0.01)
    assert a.log_scales.tolist() == [[0, -1, -5], [0, 0, 0]] and a.notes.antialiased
    np.testing.assert_allclose(opacities_of(a), [1, 0.2], atol=1e-6)
    np.testing.assert_allclose(a.sh[0, 0], (np.array([128, 0, 255]) / 255 - 0.5) / 0.15, atol=1e-5)
    half = 0.5**0.5
    turns = np.array([[half, half, 0, 0], [half, 0, 0, half]])
    np.testing.assert_allclose(np.abs(a.quats), turns, atol=0.01)
    assert a.quats[0, 0] * a.quats[0, 1] > 0 < a.quats[1, 0] * a.quats[1, 3]
    # y and z point the other way: so do the first and second coefficient, the third does not
    np.testing.assert_allclose(a.sh[0, 1], -np.array([-0.5, 0, 0.5]), atol=1e-6)
    np.testing.assert_allclose(a.sh[0, 2], [0, 0, -0.25], atol=1e-6)
    np.testing.assert_allclose(a.sh[0, 3], [-1, 127 / 128, 0], atol=1e-6)


def spz_of_streams(body: bytes, extension: bytes = b"", degree: int = 1) -> bytes:
    """The same as version 4 has it."""
    import zstandard

    sizes, place, streams = [18, 2, 6, 6, 8, 18], 16, []
    for size in sizes:
        streams.append(body[place : place + size])
        place += size
    packed = [zstandard.compress(s) for s in streams]
    table = b"".join(
        struct.pack("<QQ", len(p), len(s)) for p, s in zip(packed, streams, strict=True)
    )
    flags = 2 * bool(extension)
    head = struct.pack("<IIIBBBBI12x", 0x5053474E, 4, 2, degree, 12, flags, 6, 32 + len(extension))
    return head + extension + table + b"".join(packed)


def test_spz_of_many_streams(tmp_path: Path) -> None:
    (tmp_path / "a.spz").write_bytes(spz_of_streams(spz_body(3)))
    (tmp_path / "b.spz").write_bytes(gzip.compress(spz_body(3)))
    a, b = files.read(tmp_path / "a.spz"), files.read(tmp_path / "b.spz")
    for key in ("means", "quats", "log_scales", "opacity_logits", "sh"):
        np.testing.assert_array_equal(getattr(a, key), getattr(b, key))


@pytest.mark.parametrize(
    ("number", "matrix"),
    [
        (4, np.diag([1.0, -1, -1, 1])),  # right, up, back: as without a word
        (6, np.eye(4)),  # right, down, forward
        (12, [[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]),  # right, forward, up
        (3, np.diag([-1.0, -1, -1, 1])),  # mirrored
    ],
)
def test_spz_that_names_its_axes(number: int, matrix: np.ndarray, tmp_path: Path) -> None:
    extension = struct.pack("<III", 0x12345678, 4, 0) + struct.pack("<III", 0xADBE0003, 4, number)
    (tmp_path / "a.spz").write_bytes(spz_of_streams(spz_body(3), extension))
    (tmp_path / "b.spz").write_bytes(
        spz_of_streams(spz_body(3), struct.pack("<III", 0xADBE0003, 4, 6))
    )
    a, b = files.read(tmp_path / "a.spz"), files.read(tmp_path / "b.spz")
    wanted = splat_moves.moved(b, np.array(matrix, np.float64))
    np.testing.assert_allclose(a.means, wanted.means, atol=1e-4)
    np.testing.assert_allclose(a.sh, wanted.sh, atol=1e-5)


def ksplat(level: int, degree: int, places: np.ndarray, buckets: list[int]) -> bytes:
    """Splats in buckets: all but the last one are full, and `buckets` says how full each is."""
    count, capacity = len(places), max(buckets)
    full = sum(b == capacity for b in buckets)
    head = bytearray(4096)
    struct.pack_into("<BBxxIIIIHxx", head, 0, 0, 1, 1, 1, count, count, level)
    struct.pack_into("<ff", head, 36, -2.0, 2.0)
    section = bytearray(1024)
    values = (
        count,
        count,
        capacity,
        len(buckets),
        4.0,
        12,
        0,
        0,
        full,
        len(buckets) - full,
        degree,
    )
    struct.pack_into("<IIIIfHxxIIIIH", section, 0, *values[:6], values[6], values[7], *values[8:])
    centers = np.array([[10.0 * i, 0, 0] for i in range(len(buckets))], "<f4")
    at = np.repeat(np.arange(len(buckets)), buckets)
    body = b"".join(struct.pack("<I", b) for b in buckets[full:]) + centers.tobytes()
    float_kind = "<f2" if level else "<f4"
    for i, place in enumerate(places):
        if level:
            whole = np.rint((place - centers[at[i]]) / (4.0 / 2 / 32767)) + 32767
            body += whole.astype("<u2").tobytes()
        else:
            body += place.astype("<f4").tobytes()
        body += np.array([0.5, 0.25, 1], float_kind).tobytes()
        body += np.array([0, 1, 0, 0], float_kind).tobytes() + bytes([255, 0, 51, 204])
        rest = np.arange((0, 9, 24)[degree]) / 32 - 0.5
        if level == 2:
            body += np.rint((rest + 2) / 4 * 255).astype(np.uint8).tobytes()
        else:
            body += rest.astype(float_kind).tobytes()
    return bytes(head) + bytes(section) + body


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("degree", [0, 1, 2])
def test_ksplat_sections(level: int, degree: int, tmp_path: Path) -> None:
    places = np.array([[0.5, 1, -1], [1, 0, 0], [10, 0, 1.5], [11, 0, 0], [19.5, -1, 1]])
    (tmp_path / "a.ksplat").write_bytes(ksplat(level, degree, places, [2, 2, 1]))
    a = files.read(tmp_path / "a.ksplat")
    np.testing.assert_allclose(a.means, places, atol=1e-4)
    np.testing.assert_allclose(np.exp(a.log_scales), [[0.5, 0.25, 1]] * 5, rtol=1e-3)
    assert a.quats.tolist() == [[0, 1, 0, 0]] * 5 and a.sh_degree == degree
    np.testing.assert_allclose(opacities_of(a), [0.8] * 5, atol=1e-6)
    if degree:  # first nine: three coefficients of red, three of green, three of blue
        np.testing.assert_allclose(a.sh[0, 2], np.array([1, 4, 7]) / 32 - 0.5, atol=0.01)
    if degree == 2:  # then five of each
        np.testing.assert_allclose(a.sh[0, 4], np.array([9, 14, 19]) / 32 - 0.5, atol=0.01)


def test_compressed_chunks_without_colours(tmp_path: Path) -> None:
    """Twelve bounds a chunk, as SuperSplat 2.6 wrote them; two chunks."""
    axes = [f"{e}_{s}{a}" for s in ("", "scale_") for e in ("min", "max") for a in "xyz"]
    head = "ply\nformat binary_little_endian 1.0\nelement chunk 2\n"
    head += "".join(f"property float {a}\n" for a in axes) + "element vertex 257\n"
    packed = ("position", "rotation", "scale", "color")
    head += "".join(f"property uint packed_{p}\n" for p in packed) + "end_header\n"
    chunks = np.array([[0, 0, 0, 2, 4, 8, -5, -5, -5, -1, -1, -1], [100] * 6 + [-3] * 6], "<f4")
    rows = np.zeros((257, 4), "<u4")
    rows[:, 0] = 2047 << 21 | 0 << 11 | 2047
    rows[:, 1] = 1 << 30 | 512 << 20 | 512 << 10 | 512  # all of it in the second: x
    rows[:, 2] = 0 << 21 | 1023 << 11
    rows[:, 3] = 255 << 24 | 0 << 16 | 51 << 8 | 255
    (tmp_path / "a.ply").write_bytes(head.encode() + chunks.tobytes() + rows.tobytes())
    a = files.read(tmp_path / "a.ply")
    assert a.means[0].tolist() == [2, 0, 8] and a.means[256].tolist() == [100, 100, 100]
    assert a.log_scales[0].tolist() == [-5, -1, -5] and a.log_scales[256].tolist() == [-3] * 3
    np.testing.assert_allclose(a.quats[0], [0, 1, 0, 0], atol=2e-3)
    np.testing.assert_allclose(a.sh[0, 0] * C0 + 0.5, [1, 0, 0.2], atol=1e-6)
    np.testing.assert_allclose(opacities_of(a), 1, atol=1e-6)


def webp(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "WEBP", lossless=True, exact=True)
    return out.getvalue()


def sog_of_first_version() -> dict[str, bytes]:
    """Two splats in pictures of 2 x 1, harmonics of degree 1 from a palette of 64."""
    meta = {
        "means": {"shape": [2, 3], "mins": [0, -1, 0], "maxs": [1, 1, 2], "files": ["l", "u"]},
        "scales": {"mins": [-8] * 3, "maxs": [-4] * 3, "files": ["s"]},
        "quats": {"files": ["q"]},
        "sh0": {"mins": [-1, -1, -1, -4], "maxs": [1, 1, 1, 4], "files": ["c"]},
        "shN": {"mins": -2, "maxs": 2, "quantization": 8, "files": ["e", "n"]},
    }
    palette = np.full((1, 192, 4), 255)
    palette[0, 3:6, :3] = [[0, 255, 51], [51, 51, 51], [255, 0, 0]]  # the second entry
    return {
        "meta.json": json.dumps(meta).encode(),
        "l": webp(np.array([[[0, 255, 255, 255], [255, 0, 255, 255]]])),
        "u": webp(np.array([[[0, 255, 127, 255], [255, 128, 255, 255]]])),
        "s": webp(np.array([[[0, 255, 51, 255], [255, 255, 255, 255]]])),
        "q": webp(np.array([[[128, 128, 128, 252], [255, 128, 128, 253]]])),
        "c": webp(np.array([[[255, 0, 51, 255], [0, 0, 0, 0]]])),
        "e": webp(palette),
        "n": webp(np.array([[[1, 0, 0, 255], [0, 0, 0, 255]]])),
    }


def check_first_version(path: Path) -> None:
    a = files.read(path)
    logs = np.array([[0, 1, 2 * 32767 / 65535], [1, -1 + 2 * 32768 / 65535, 2]])
    np.testing.assert_allclose(a.means, np.sign(logs) * np.expm1(np.abs(logs)), atol=1e-4)
    np.testing.assert_allclose(a.log_scales[0], [-8, -4, -7.2], atol=1e-5)
    half = 0.5**0.5
    turns = np.array([[1, 0, 0, 0], [half, half, 0, 0]])
    np.testing.assert_allclose(a.quats, turns, atol=5e-3)
    np.testing.assert_allclose(a.sh[0, 0], [1, -1, -0.6], atol=1e-5)
    assert a.opacity_logits.tolist() == [4, -4]
    np.testing.assert_allclose(a.sh[0, 1:], [[-2, 2, -1.2], [-1.2] * 3, [2.0, -2, -2]], atol=1e-5)


def test_sog_of_the_first_version(tmp_path: Path) -> None:
    for name, data in sog_of_first_version().items():
        (tmp_path / name).write_bytes(data)
    check_first_version(tmp_path)


@pytest.mark.parametrize("folder", ["", "scene/"])
def test_sog_bundles(folder: str, tmp_path: Path) -> None:
    """At the root of the zip file, or in a folder of it, with other files around."""
    with zipfile.ZipFile(tmp_path / "a.sog", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "hello")
        for name, data in sog_of_first_version().items():
            archive.writestr(folder + name, data)
    check_first_version(tmp_path / "a.sog")


def glb(document: dict, binary: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def gltf_document(quantized: bool) -> tuple[dict, bytes]:
    """A splat in bytes or floats, in a node that is moved in one that is scaled, y up."""
    mean = np.array([1, 2, 3, 0], "<f4").tobytes()[: 16 if quantized else 12]
    kinds = {
        "SCALE": ("VEC3", [3, 1, 2]),
        "ROTATION": ("VEC4", [0, 0, 0, 1]),
        "OPACITY": ("SCALAR", [1]),
    }
    views = [{"buffer": 0, "byteOffset": 0, "byteLength": 12}]
    accessors = [{"bufferView": 0, "componentType": 5126, "count": 1, "type": "VEC3"}]
    binary, attributes = mean, {"POSITION": 0}
    for name, (kind, values) in kinds.items():
        full = {"SCALE": 1, "ROTATION": 127, "OPACITY": 255}[name] if quantized else 1
        letter = {"SCALE": "u1", "ROTATION": "i1", "OPACITY": "u1"}[name] if quantized else "<f4"
        data = (np.array(values) * full).astype(letter).tobytes()
        attributes[f"KHR_gaussian_splatting:{name}"] = len(accessors)
        accessors.append({
            "bufferView": len(views), "count": 1, "type": kind,
            "componentType": {"u1": 5121, "i1": 5120, "<f4": 5126}[letter],
            "normalized": quantized and name != "SCALE",
        })  # fmt: skip
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
        binary += data + bytes(-len(data) % 4)
    attributes["KHR_gaussian_splatting:SH_DEGREE_0_COEF_0"] = 0
    extension = {
        "KHR_gaussian_splatting": {"kernel": "ellipse", "colorSpace": "lin_rec709_display"}
    }
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"scale": [2, 2, 2], "children": [1]}, {"mesh": 0, "translation": [1, 0, 0]}],
        "meshes": [{"primitives": [
            {"attributes": {"POSITION": 0}, "mode": 0},
            {"attributes": attributes, "mode": 0, "extensions": extension},
        ]}],
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": views,
        "accessors": accessors,
    }, binary  # fmt: skip


@pytest.mark.parametrize("quantized", [False, True])
def test_gltf_of_others(quantized: bool, tmp_path: Path) -> None:
    document, binary = gltf_document(quantized)
    (tmp_path / "a.glb").write_bytes(glb(document, binary))
    a = files.read(tmp_path / "a.glb")
    np.testing.assert_allclose(a.means, [[4, -4, -6]], atol=1e-5)
    np.testing.assert_allclose(np.exp(a.log_scales), [[6, 2, 4]], rtol=1e-5)
    np.testing.assert_allclose(opacities_of(a), [1], atol=1e-6)
    assert a.sh[0, 0].tolist() == [1, 2, 3] and a.notes.blend == "linear"
    assert a.left_out == ("1 mesh",)
    document["buffers"][0]["uri"] = "my data.bin"
    (tmp_path / "a.gltf").write_text(json.dumps(document))
    (tmp_path / "my data.bin").write_bytes(binary)
    np.testing.assert_array_equal(files.read(tmp_path / "a.gltf").means, a.means)


def test_gltf_with_spz_inside(tmp_path: Path) -> None:
    """As Cesium compresses them; the axes are glTF's."""
    packed = gzip.compress(spz_body(3))
    nested = {"KHR_gaussian_splatting_compression_spz_2": {"bufferView": 0}}
    primitive = {"extensions": {"KHR_gaussian_splatting": {"extensions": nested}}, "attributes": {}}
    document = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "buffers": [{"byteLength": len(packed)}],
        "bufferViews": [{"buffer": 0, "byteLength": len(packed)}],
    }
    (tmp_path / "a.glb").write_bytes(glb(document, packed))
    (tmp_path / "a.spz").write_bytes(packed)
    a, b = files.read(tmp_path / "a.glb"), files.read(tmp_path / "a.spz")
    np.testing.assert_allclose(a.means, b.means, atol=1e-5)
    np.testing.assert_allclose(a.sh, b.sh, atol=1e-5)


@pytest.mark.parametrize("name", ["a.glb", "a.usda"])
def test_scenes_without_splats_are_named_as_such(name: str, tmp_path: Path) -> None:
    document = {"asset": {"version": "2.0"}, "scenes": [{"nodes": []}]}
    (tmp_path / "a.glb").write_bytes(glb(document, b""))
    (tmp_path / "a.usda").write_text('#usda 1.0\ndef Mesh "Cube"\n{\n}\n')
    with pytest.raises(InputError, match="holds no Gaussian splats"):
        files.read(tmp_path / name)


def test_usd_of_others(tmp_path: Path) -> None:
    """Half floats, z up, a prim in a moved one; a second one beside it."""
    text = """#usda 1.0
(
    upAxis = "Z"
)
def Xform "World"
{
    double3 xformOp:translate = (0, 0, 5)
    uniform token[] xformOpOrder = ["xformOp:translate"]
    def ParticleField3DGaussianSplat "A"
    {
        point3h[] positionsh = [(1, 2, 3)]
        quath[] orientationsh = [(1, 0, 0, 0)]
        half3[] scalesh = [(0.5, 1, 2)]
        half[] opacitiesh = [0.5]
        uniform int radiance:sphericalHarmonicsDegree = 0
        half3[] radiance:sphericalHarmonicsCoefficientsh = [(0.25, 0, -1)]
    }
    def Mesh "C"
    {
    }
    def ParticleField3DGaussianSplat "B"
    {
        point3f[] positions = [(0, 0, 0), (1, 1, 1)]
        quatf[] orientations = [(1, 0, 0, 0), (0, 1, 0, 0)]
        float3[] scales = [(1, 1, 1), (1, 1, 1)]
        float[] opacities = [1, 0]
        uniform int radiance:sphericalHarmonicsDegree = 1
        float3[] radiance:sphericalHarmonicsCoefficients = [
            (0, 0, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0)
        ]
    }
}
"""
    (tmp_path / "a.usda").write_text(text)
    a = files.read(tmp_path / "a.usda")
    assert len(a) == 3 and a.sh_degree == 1 and a.left_out == ("1 mesh",)
    np.testing.assert_allclose(a.means, [[1, -8, 2], [0, -5, 0], [1, -6, 1]], atol=1e-5)
    np.testing.assert_allclose(np.sort(np.exp(a.log_scales[0])), [0.5, 1, 2], rtol=1e-4)
    np.testing.assert_allclose(opacities_of(a), [0.5, 1, 0], atol=1e-4)
