"""Shapes carried over to other heads: true ones are met, sides are kept, what is no skin follows or
rests, and what is no head is refused in a sentence.
"""

from dataclasses import replace

import numpy as np
import pytest
from helpers.lips import close_lips, counted
from helpers.other_heads import OtherHead, as_character, other_head
from helpers.toy_rig import toy_rig

from backend.formats.character_file import LANDMARKS, Character, check_mesh
from backend.protocol import InputError
from backend.talking_head.rigs.rig import Part
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.rigs.teeth import common_poses
from backend.talking_head.transfer.add_shapes import AddedShapes, add_shapes, rests
from backend.talking_head.transfer.template import Template, template_of

UNIT = 0.13  # another one than the rig's
TURN = np.array(
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
)  # with landmarks it may look anywhere


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of(small_head())


@pytest.fixture(scope="module")
def head() -> OtherHead:
    return other_head(small_head(), seed=7, count=2000)


def silent(_stage: str, _share: float) -> None:
    pass


@pytest.fixture(scope="module")
def added(template: Template, head: OtherHead) -> AddedShapes:
    """In the rig's unit and axes."""
    plain = as_character(head, UNIT)
    turned = replace(
        plain,
        vertices=plain.vertices @ TURN.T + [5, 6, 7],
        landmarks={name: TURN @ at + [5, 6, 7] for name, at in plain.landmarks.items()},
    )
    result = add_shapes(template, turned, silent)
    return replace(result, shapes=result.shapes @ TURN / UNIT)


def test_true_shapes_are_met_on_another_topology(head: OtherHead, added: AddedShapes) -> None:
    motion = np.linalg.norm(head.shapes, axis=2) / head.eyes
    error = np.linalg.norm(added.shapes - head.shapes, axis=2) / head.eyes
    moving = motion > 0.01
    shapes = moving.any(1)
    assert shapes.sum() > 40 and added.met > 0.95
    errors = np.array([e[m].mean() for e, m in zip(error[shapes], moving[shapes], strict=True)])
    motions = np.array([f[m].mean() for f, m in zip(motion[shapes], moving[shapes], strict=True)])
    assert errors.mean() < 0.03 and errors.mean() < 0.3 * motions.mean()
    assert errors.max() < 0.06


def test_left_stays_left(template: Template, head: OtherHead, added: AddedShapes) -> None:
    for shape, sign in (("eyeBlinkLeft", 1), ("mouthSmileRight", -1)):
        size = np.linalg.norm(added.shapes[template.names.index(shape)], axis=1)
        side = head.vertices[:, 0] * sign > 0
        assert size[side].sum() > 5 * size[~side].sum()


def with_eyes_teeth_and_hair() -> tuple[Character, dict[str, np.ndarray]]:
    """The small head as an artist has it, hair that hangs off it, and another head beside it."""
    rig = small_head()
    rest, triangles = rig.neutral.astype(float), rig.triangles.astype(np.int64)
    height, angle = np.meshgrid(np.linspace(-6, 8, 15), np.linspace(2, 4, 15))
    strand = np.stack([13 * np.sin(angle), height, 13 * np.cos(angle)], 2).reshape(-1, 3)
    i = (np.arange(14)[:, None] * 15 + np.arange(14)).ravel()
    hair = np.concatenate([np.stack([i, i + 1, i + 16], 1), np.stack([i, i + 16, i + 15], 1)])
    other = rest + np.array([60.0, 0, 0])
    n, h = len(rest), len(strand)
    character = Character(
        vertices=np.concatenate([rest, strand, other]),
        triangles=np.concatenate([triangles, hair + n, triangles + n + h]),
        meshes=["Anna", "Hair", "Twin"],
        sizes=np.array([n, h, n]),
        landmarks={},
    )
    own = template_of(rig)
    marks = {name: own.vertices[at] for name, at in own.landmarks.items()}
    groups = {name: np.zeros(2 * n + h, bool) for name in ("hair", "twin")}
    groups["hair"][n : n + h] = groups["twin"][n + h :] = True
    return replace(character, landmarks=marks), groups


def test_eyes_turn_teeth_go_with_the_jaw_and_hair_rests(template: Template) -> None:
    character, groups = with_eyes_teeth_and_hair()
    result = add_shapes(template, character, silent)
    rig, names = small_head(), template.names
    count = len(rig.neutral)
    for name in ("eyeLookOutLeft", "jawOpen", "tongueOut"):
        truth, shape = rig.shapes[names.index(name)], result.shapes[names.index(name)][:count]
        for part in np.unique(rig.parts):
            own = rig.vertex_parts == part
            far = np.linalg.norm(shape[own] - truth[own], axis=1).mean()
            assert far < 0.1 + 0.1 * np.linalg.norm(truth[own], axis=1).mean(), (name, part)
    assert not result.shapes[:, groups["hair"] | groups["twin"]].any()
    line = rests(character, result)
    assert "stay at rest" in line and "Hair (225)" in line and "Twin (6,868)" in line


def test_teeth_give_way_to_a_characters_lips(template: Template) -> None:
    """A character whose teeth lie close to its lips, turned and in another unit."""
    rig = close_lips(0.8)
    own = template_of(small_head())
    character = Character(
        vertices=rig.neutral.astype(float) @ TURN.T * UNIT + 3,
        triangles=rig.triangles.astype(np.int64),
        meshes=["Head"],
        sizes=np.array([len(rig.neutral)]),
        landmarks={name: TURN @ own.vertices[at] * UNIT + 3 for name, at in own.landmarks.items()},
    )
    result = add_shapes(template, character, silent)
    given = replace(rig, shapes=(result.shapes @ TURN / UNIT).astype(np.float32))
    row = np.isin(rig.vertex_parts, (Part.TEETH, Part.TONGUE))
    rolled = template.names.index("mouthRollUpper")
    assert given.shapes[rolled][row, 2].min() < -0.1, "they give way"
    assert not np.abs(given.shapes[template.names.index("browInnerUp")][row]).max() > 0.02
    poses = common_poses(rig.names)
    alone = [pose for pose in poses if (pose > 0).sum() == 1][:24]
    rest = counted(rig, rig.neutral, poses[:1])[0]
    assert max(counted(given, rig.neutral, alone)) <= rest


def test_an_unmarked_head_that_looks_forward_is_found(template: Template, head: OtherHead) -> None:
    result = add_shapes(template, as_character(head, UNIT, {}), silent)
    for name, place in head.landmarks.items():
        assert np.linalg.norm(result.landmarks[name] / UNIT - place) < 0.15 * head.eyes, name


def refused(template: Template, character: Character) -> str:
    with pytest.raises(InputError) as caught:
        add_shapes(template, character, silent)
    assert caught.value.advice
    return caught.value.what


def cube() -> Character:
    corners = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    return Character(
        vertices=corners, triangles=triangles, meshes=["Cube"], sizes=np.array([8]), landmarks={}
    )


def test_what_is_no_head_is_refused(template: Template, head: OtherHead) -> None:
    what = refused(template, cube())
    assert "Cube" in what or "No face" in what
    marked = as_character(head)
    few = dict(list(marked.landmarks.items())[:3])
    assert "Only 3 landmarks" in refused(template, replace(marked, landmarks=few))
    swapped = {
        name: marked.landmarks[
            name.replace("Left", "?").replace("Right", "Left").replace("?", "Right")
        ]
        for name in LANDMARKS
    }
    assert "landmarks" in refused(template, replace(marked, landmarks=swapped))
    one = dict.fromkeys(LANDMARKS, np.zeros(3))
    assert "landmarks" in refused(template, replace(marked, landmarks=one))
    with pytest.raises(InputError, match="toy has not ARKit's shapes"):
        template_of(toy_rig())


def test_a_broken_mesh_is_carried_over_to_all_the_same(template: Template, head: OtherHead) -> None:
    """Edges of three faces, faces twice and without area, loose vertices."""
    plain = as_character(head, UNIT)
    count = len(plain.vertices)
    ruin = np.array([[0, 1, count], [0, 1, count], [5, 5, 6], [7, 7, 7]])
    broken = replace(
        plain,
        vertices=np.concatenate([plain.vertices, plain.vertices[:1] + 0.01, [[0, 9, 9]]]),
        triangles=np.concatenate([plain.triangles, plain.triangles[:40], ruin]),
        sizes=np.array([count + 2]),
    )
    result = add_shapes(template, broken, silent)
    assert np.isfinite(result.shapes).all() and not result.shapes[:, -1].any()
    jaw = result.shapes[template.names.index("jawOpen")][:count] / UNIT
    truth = head.shapes[template.names.index("jawOpen")]
    assert np.linalg.norm(jaw - truth, axis=1).mean() < 0.03 * head.eyes


def test_numbers_that_are_none_and_meshes_that_are_too_large_are_refused() -> None:
    with pytest.raises(InputError, match="Head has no faces"):
        check_mesh(np.zeros((5, 3)), 0, "Head")
    with pytest.raises(InputError, match="1 of the 5 vertices of Head lie nowhere"):
        check_mesh(np.vstack([np.zeros((4, 3)), [[0, np.nan, 0]]]), 4, "Head")
    with pytest.raises(InputError, match="2,000,000 triangles"):
        check_mesh(np.zeros((5, 3)), 2_000_000, "Head")
