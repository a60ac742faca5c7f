"""One frame of a mesh from outside, as Blender's importers leave it: its polygons, and whatever
else it brings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.formats.natural_order import natural_key
from ....backend.geometry.arrays import Floats, Ints32
from ....backend.protocol import InputError
from . import mesh_looks, polygons

ORDER = "splatsmith_order"  # of vertices, while objects are joined
Block = bpy.types.Mesh


@dataclass(frozen=True, kw_only=True)
class ReadMesh:
    """One frame: V vertices in the world, P polygons of C corners in all; `name` is for people."""

    name: str
    frame: int  # from 0
    vertices: Floats  # (V, 3)
    corners: Ints32  # (C,) the vertex of each
    sizes: Ints32  # (P,) corners of each polygon
    triangles: Ints32  # (F, 3) of the polygons as they are now
    colors: Floats | None  # (V, 3) sRGB 0..1
    looks: mesh_looks.Looks

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it: simulations begin like that."""
        return not len(self.vertices) or not len(self.sizes)

    def checked(self) -> "ReadMesh":
        """Itself; InputError where it is not finite."""
        if not np.isfinite(self.vertices).all():
            raise no_places(self.name)
        return self

    def fits(self, first: "ReadMesh") -> bool:
        """Whether it is the same mesh, moved: polygon by polygon; or triangles that divide the same
        polygons otherwise, as exporters do where a polygon folds.
        """
        if len(self.vertices) != len(first.vertices):
            return False
        if np.array_equal(self.sizes, first.sizes) and np.array_equal(self.corners, first.corners):
            return True
        return polygons.same_surface(
            polygons.of(self.corners, self.sizes), polygons.of(first.corners, first.sizes)
        )


def no_places(name: str) -> InputError:
    """The error for a mesh with vertices that are nowhere."""
    return InputError(f"{name} has vertices at no finite place.", "Export it again.")


def joined(name: str, frame: int, objs: Sequence[bpy.types.Object]) -> tuple[ReadMesh, Block]:
    """All meshes among `objs` as they stand now, as one mesh in the world; and its data-block,
    which is the caller's to keep or to remove.
    """
    graph = bpy.context.evaluated_depsgraph_get()
    meshes = [o for o in objs if o.type == "MESH"]
    meshes.sort(key=lambda o: natural_key(o.name))  # the same order in every frame
    blocks = [_standing(o.evaluated_get(graph), graph) for o in meshes]
    blocks = [block for block in blocks if not _dropped(block)]
    if not blocks:
        return _arrays(name, frame, empty := bpy.data.meshes.new(name)), empty
    block = blocks[0] if len(blocks) == 1 else _one_of(blocks)
    return _arrays(name, frame, block), block


def _dropped(block: Block) -> bool:
    """Whether nothing is in it; it is then removed."""
    if len(block.vertices):
        return False
    bpy.data.meshes.remove(block)
    return True


def _standing(shown: bpy.types.Object, graph: bpy.types.Depsgraph) -> Block:
    """A copy of an evaluated mesh, moved into the world; a mirrored one keeps its outside out."""
    block = bpy.data.meshes.new_from_object(shown, preserve_all_data_layers=True, depsgraph=graph)
    world = np.array(shown.matrix_world, np.float64)
    places = vertices_of(block) @ world[:3, :3].T + world[:3, 3]
    block.vertices.foreach_set("co", np.asarray(places, np.float32).ravel())
    if np.linalg.det(world[:3, :3]) < 0:
        block.flip_normals()
    block.update()
    return block


def _one_of(blocks: list[Block]) -> Block:
    """All joined by Blender, which keeps their materials and layers; vertices in the order of the
    blocks.
    """
    scene, start, objs = bpy.context.scene, 0, []
    others = [block.name for block in blocks[1:]]
    for block in blocks:
        order = block.attributes.new(ORDER, "INT", "POINT")
        count = len(block.vertices)
        order.data.foreach_set("value", np.arange(start, start + count, dtype=np.int32))
        start += count
        objs.append(bpy.data.objects.new(block.name, block))
        scene.collection.objects.link(objs[-1])
    bpy.context.view_layer.update()
    with bpy.context.temp_override(
        active_object=objs[0],
        object=objs[0],
        selected_objects=objs,
        selected_editable_objects=objs,
    ):
        bpy.ops.object.join()
    block = objs[0].data
    bpy.data.objects.remove(objs[0])
    for name in others:  # Blender has removed their objects, and leaves these
        if name in bpy.data.meshes:
            bpy.data.meshes.remove(bpy.data.meshes[name])
    return _in_order(block)


def _in_order(block: Block) -> Block:
    """Vertices as their ORDER says, which joining may change."""
    attribute = block.attributes[ORDER]
    order = np.empty(len(block.vertices), np.int32)
    attribute.data.foreach_get("value", order)
    block.attributes.remove(attribute)
    if np.array_equal(order, np.arange(len(order))):
        return block
    raise InputError("The parts of a mesh can't be joined in order.", "Join them before exporting.")


def vertices_of(block: Block) -> NDArray[np.float64]:
    """(V, 3) in its own space."""
    places = np.empty(len(block.vertices) * 3, np.float32)
    block.vertices.foreach_get("co", places)
    return places.reshape(-1, 3).astype(np.float64)


def _arrays(name: str, frame: int, block: Block) -> ReadMesh:
    block.calc_loop_triangles()
    corners, sizes = np.empty(len(block.loops), np.int32), np.empty(len(block.polygons), np.int32)
    triangles = np.empty(len(block.loop_triangles) * 3, np.int32)
    block.loops.foreach_get("vertex_index", corners)
    block.polygons.foreach_get("loop_total", sizes)
    block.loop_triangles.foreach_get("vertices", triangles)
    return ReadMesh(
        name=name,
        frame=frame,
        vertices=vertices_of(block).astype(np.float32),
        corners=corners,
        sizes=sizes,
        triangles=triangles.reshape(-1, 3),
        colors=mesh_looks.vertex_colors(block),
        looks=mesh_looks.of(block),
    )
