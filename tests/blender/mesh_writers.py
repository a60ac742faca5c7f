"""Small mesh files as other programs write them, and what Blender shows of them."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
CUBE_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def obj(path: Path, places: Any, faces: Any, head: str = "", colors: Any = None) -> None:
    """OBJ with y up, as it comes in: Blender turns it, so places are given in Blender's axes."""
    rows = []
    for number, (x, y, z) in enumerate(np.asarray(places, float)):
        color = "" if colors is None else " {:.4f} {:.4f} {:.4f}".format(*colors[number])
        rows.append(f"v {x:.6f} {z:.6f} {-y:.6f}{color}")
    rows += ["f " + " ".join(str(v + 1) for v in face) for face in faces]
    path.write_text("\n".join([head, *rows, ""]) if head else "\n".join([*rows, ""]))


def ply(path: Path, places: Any, faces: Any, colors: Any = None, kind: str = "uchar") -> None:
    """ASCII, with colours of vertices where there are any."""
    names = ("red", "green", "blue") if colors is not None else ()
    head = ["ply", "format ascii 1.0", f"element vertex {len(places)}"]
    head += [f"property float {axis}" for axis in "xyz"]
    head += [f"property {kind} {name}" for name in names]
    head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    rows = []
    for number, place in enumerate(np.asarray(places, float)):
        more = [] if colors is None else [str(c) for c in colors[number]]
        rows.append(" ".join([*(f"{v:.6f}" for v in place), *more]))
    rows += [" ".join(map(str, (len(face), *face))) for face in faces]
    path.write_text("\n".join([*head, *rows, ""]))


def stl(path: Path, places: Any, triangles: Any) -> None:
    """Binary."""
    data = b"\0" * 80 + struct.pack("<I", len(triangles))
    for triangle in triangles:
        corners = np.asarray(places, "<f4")[list(triangle)] if len(triangle) else None
        assert corners is not None
        data += struct.pack("<3f", 0, 0, 0) + corners.tobytes() + struct.pack("<H", 0)
    path.write_bytes(data)


def glb(path: Path, places: Any, triangles: Any, nodes: list[dict[str, Any]]) -> None:
    """One mesh, hung into nodes (glTF's axes and records); the last of them holds it."""
    points = np.asarray(places, "<f4")
    corners = np.asarray(triangles, "<u2").ravel()
    data = points.tobytes() + corners.tobytes() + b"\0" * (-len(corners) * 2 % 4)
    record = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {**node, **({"children": [k + 1]} if k + 1 < len(nodes) else {"mesh": 0})}
            for k, node in enumerate(nodes)
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {
                "bufferView": 0, "componentType": 5126, "count": len(points), "type": "VEC3",
                "min": points.min(0).tolist(), "max": points.max(0).tolist(),
            },
            {"bufferView": 1, "componentType": 5123, "count": len(corners), "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": points.nbytes},
            {"buffer": 0, "byteOffset": points.nbytes, "byteLength": corners.nbytes},
        ],
        "buffers": [{"byteLength": len(data)}],
    }  # fmt: skip
    text = json.dumps(record).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(data), 0x004E4942) + data
    path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks)


def triangles_of(quads: Any) -> list[tuple[int, ...]]:
    return [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]


def volume(bpy: Any, animated: Any) -> float:
    """Signed: above 0 where the outside is out."""
    shown = animated.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    mesh.calc_loop_triangles()
    places = np.array([v.co for v in mesh.vertices])
    corners = np.array([t.vertices for t in mesh.loop_triangles])
    a, b, c = places[corners].transpose(1, 0, 2)
    world = np.array(shown.matrix_world)[:3, :3]
    shown.to_mesh_clear()
    return float(np.linalg.det(world) * np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def places_at(bpy: Any, rooms: Any, frame: float) -> np.ndarray:
    """(V, 3) of the active object."""
    rooms("scene.meshes.timeline").go_to(bpy.context.scene, frame)
    return np.asarray(
        rooms("scene.meshes.mesh_sequence").world_vertices(bpy.context, bpy.context.object)
    )
