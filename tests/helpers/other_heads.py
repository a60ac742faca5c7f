"""Heads whose shapes are known, of another topology than the rig that they are made of: its skin,
made of other triangles, and smoothly warped, at rest and in all its shapes alike.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from backend.formats.character_file import Character
from backend.talking_head.rigs.rig import Rig
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.transfer.closest import vertex_normals
from backend.talking_head.transfer.template import eye_distance, template_of

DETAIL = (
    3.5  # centimetres from the eyes' corners, the lips and the nose in which vertices are dense
)


@dataclass(frozen=True, kw_only=True)
class OtherHead:
    """Axes as a rig's; centimetres."""

    vertices: np.ndarray  # (V, 3)
    triangles: np.ndarray  # (T, 3)
    shapes: np.ndarray  # (K, V, 3) the true ones, added to the vertices
    landmarks: dict[str, np.ndarray]  # by name (3,), where those of the rig have gone
    eyes: float  # distance between the eyes


def other_head(
    rig: Rig, seed: int, count: int = 5000, warp: float = 1.0, people: float = 0.0
) -> OtherHead:
    """About `count` vertices; `warp` 1: proportions of another character, 0: the rig's own;
    `people`: how far the rig's identities go, in standard deviations.
    """
    random = np.random.default_rng(seed)
    template = template_of(rig)
    identity = (random.normal(size=len(rig.identities)) * people).astype(np.float32)
    rest = rig.person(identity)[template.numbers].astype(float)
    shapes, triangles = template.shapes, template.triangles
    places = np.array(list(template.landmarks.values()))
    at = rest[places]
    for _ in range(2):
        parents, triangles = subdivided(len(rest), triangles)
        rest = rest[parents].mean(1)
        shapes = (shapes[:, parents[:, 0]] + shapes[:, parents[:, 1]]) / 2
    kept, triangles = remeshed(rest, triangles, at, count, random)
    bend = random_warp(random, warp)
    vertices = bend(rest[kept])
    moved = np.stack([bend(rest[kept] + shape[kept]) - vertices for shape in shapes])
    landmarks = dict(zip(template.landmarks, bend(at), strict=True))
    return OtherHead(
        vertices=vertices,
        triangles=triangles,
        shapes=moved,
        landmarks=landmarks,
        eyes=eye_distance(landmarks),
    )


def random_warp(random: np.random.Generator, strength: float):
    """A smooth map of space: longer, wider or deeper by up to a seventh, with eight wide hills of
    up to 0.9 cm.
    """
    stretch = np.exp(random.uniform(-0.15, 0.15, 3) * strength)
    centers = random.uniform([-7, -11, -3], [7, 10, 12], (8, 3))
    widths = random.uniform(4, 8, 8)
    moves = random.normal(size=(8, 3)) * 0.5 * strength

    def bend(points: np.ndarray) -> np.ndarray:
        away = ((points[:, None] - centers) ** 2).sum(2)
        return points * stretch + np.exp(-away / widths**2) @ moves

    return bend


def subdivided(count: int, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parents (V', 2), in whose middle each vertex lies, the old ones first; and triangles, four
    for each.
    """
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs, number = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    t = len(triangles)
    a, b, c = (count + number.ravel()[k * t : (k + 1) * t] for k in range(3))
    x, y, z = triangles.T
    parents = np.concatenate([np.repeat(np.arange(count)[:, None], 2, 1), pairs])
    faces = np.concatenate([np.stack(f, 1) for f in ((x, a, c), (a, y, b), (c, b, z), (a, b, c))])
    return parents, faces


def remeshed(
    vertices: np.ndarray,
    triangles: np.ndarray,
    features: np.ndarray,
    count: int,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Which vertices (N,) are kept, and triangles between them: the corners of the cells that they
    have along the surface, so that lips and lids stay apart. More are kept near the features (L,
    3), as modellers have it.
    """
    near = np.linalg.norm(vertices[:, None] - features, axis=2).min(1)
    spacing = np.where(near < DETAIL, 0.45, 1.0) * np.sqrt(5000 / count) * 0.62
    # lips that touch face each other
    tree = cKDTree(np.hstack([vertices, 0.6 * vertex_normals(vertices, triangles)]))
    free, kept = np.ones(len(vertices), bool), []
    for vertex in random.permutation(len(vertices)):
        if free[vertex]:
            kept.append(vertex)
            free[tree.query_ball_point(tree.data[vertex], spacing[vertex])] = False
    chosen = np.array(sorted(kept))
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    lengths = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1) + 1e-6
    graph = coo_matrix((lengths, tuple(edges.T)), (len(vertices),) * 2).tocsr()
    graph = graph.maximum(graph.T)
    _, _, owners = dijkstra(
        graph, directed=False, indices=chosen, min_only=True, return_predecessors=True
    )
    number = np.full(len(vertices), -1)
    number[chosen] = np.arange(len(chosen))
    cells = number[owners[triangles]]
    distinct = (cells != np.roll(cells, 1, 1)).all(1)
    faces = cells[distinct]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return chosen, faces[np.sort(first)]


def as_character(
    head: OtherHead, unit: float = 1.0, landmarks: dict[str, np.ndarray] | None = None
) -> Character:
    """The one mesh of a character, in another unit of length."""
    marked = head.landmarks if landmarks is None else landmarks
    return Character(
        vertices=head.vertices * unit,
        triangles=head.triangles,
        meshes=["Head"],
        sizes=np.array([len(head.vertices)]),
        landmarks={name: place * unit for name, place in marked.items()},
    )


def small_character() -> Character:
    """The small head as a character without shapes, marked."""
    rig = small_head()
    own = template_of(rig)
    return Character(
        vertices=rig.neutral.astype(np.float64),
        triangles=rig.triangles.astype(np.int64),
        meshes=["Head"],
        sizes=np.array([len(rig.neutral)]),
        landmarks={name: own.vertices[at] for name, at in own.landmarks.items()},
    )
