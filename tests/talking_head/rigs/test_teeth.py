"""Teeth and tongue stay behind the lips: on the project's own heads as they are, on heads like
ICT's, whose lips lie close, once they give way; on ICT's where it is there.
"""

from collections.abc import Callable

import numpy as np
import pytest
from helpers.lips import close_lips, counted
from helpers.places import DATA

from backend.formats.arkit import BLENDSHAPES
from backend.talking_head.default_head.files import styled_head
from backend.talking_head.rigs.ict import read_ict
from backend.talking_head.rigs.rig import Part, Rig
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.rigs.small_head.grid import make_skin
from backend.talking_head.rigs.teeth import behind_lips, common_poses, mouth_inside, stands_out


def default_rig(identity: np.ndarray) -> Rig:
    """The styled head that *Add Head* brings, as a rig: its skin, teeth and tongue."""
    head = styled_head(identity)
    assert head.pieces is not None
    of = {"Head": Part.SKIN, "Teeth": Part.TEETH, "Tongue": Part.TONGUE}
    named = [of.get(head.pieces.names[k]) for k in head.pieces.piece]
    parts = np.array([Part.SKIN if part is None else part for part in named], np.int8)
    face = np.flatnonzero(head.pieces.piece == head.pieces.names.index("Head"))
    inside = make_skin().inside
    parts[face[: len(inside)][inside]] = Part.MOUTH
    kept = np.array([part is not None for part in named])
    return Rig(
        name="default", neutral=head.vertices, faces=head.faces[kept], parts=parts[kept],
        names=BLENDSHAPES, shapes=head.shapes, identities=np.zeros((0, 1, 3), np.float32),
        lowest=head.lowest,
    )  # fmt: skip


def test_all_52_shapes_and_what_mouths_do_are_asked() -> None:
    poses = common_poses(BLENDSHAPES)
    alone = {BLENDSHAPES[int(row.argmax())] for row in poses if (row > 0).sum() == 1}
    mouth = {n for n in BLENDSHAPES if n.startswith(("jaw", "mouth", "tongue", "cheekPuff"))}
    assert mouth <= alone and len(poses) > 50 and not poses[0].any()


PEOPLE = np.concatenate([np.zeros((1, 8)), np.random.default_rng(0).normal(size=(1, 8))])


@pytest.mark.parametrize("make", [default_rig, lambda who: small_head()], ids=["default", "small"])
@pytest.mark.parametrize("person", range(len(PEOPLE)))
def test_the_own_heads_never_show_teeth_through_lips(
    make: Callable[[np.ndarray], Rig], person: int
) -> None:
    """All 52 shapes at once with others as mouths do; of somebody else too."""
    identity = PEOPLE[person].astype(np.float32)
    rig = make(identity)
    rest = rig.person(identity) if len(rig.identities) else rig.neutral
    poses = common_poses(rig.names)
    others = [k for k in range(52) if not poses[(poses > 0).sum(1) == 1][:, k].any()]
    poses = np.concatenate([poses, np.eye(52, dtype=np.float32)[others]])
    assert counted(rig, rest, poses) == [0] * len(poses)


def test_close_lips_are_given_way_to() -> None:
    rig = close_lips(0.8)
    random = np.random.default_rng(1)
    some = common_poses(rig.names)[random.integers(0, 50, 8)] * random.uniform(0.3, 1, (8, 1))
    own = np.maximum(some[:4], some[4:]).astype(np.float32)  # what a captured face did
    poses = [*common_poses(rig.names), *own]
    before = counted(rig, rig.neutral, poses)
    assert sum(before) > 10 and max(before) > 3
    fixed, rest, told = behind_lips(rig, rig.neutral, own)
    assert sum(counted(fixed, rest, poses)) == 0
    assert told >= sum(count > 0 for count in before) - 2
    moved = np.abs(fixed.shapes - rig.shapes).max((0, 2)) > 0
    assert not moved[rig.vertex_parts == Part.SKIN].any() and np.abs(rest - rig.neutral).max() < 0.5
    assert behind_lips(fixed, rest, own)[2] == 0, "once is enough"


def test_open_mouths_show_their_teeth_where_they_were() -> None:
    """What gives way to rolled lips is where it was once they are not."""
    rig = close_lips(0.6)
    fixed, rest, _ = behind_lips(rig, rig.neutral)
    for name in ("jawOpen", "mouthUpperUpLeft", "mouthSmileLeft", "mouthFunnel"):
        k = rig.names.index(name)
        assert np.abs(fixed.shapes[k] - rig.shapes[k]).max() < 0.08, name
    assert np.abs(rest - rig.neutral).max() < 0.1


def test_heads_without_teeth_stay_as_they_are() -> None:
    rig = small_head()
    bare = rig.only_vertices(rig.vertex_parts == Part.SKIN)
    assert mouth_inside(bare) is None
    fixed, rest, told = behind_lips(bare, bare.neutral)
    assert fixed is bare and rest is bare.neutral and told == 0
    inside = mouth_inside(rig)
    assert inside is not None
    upper, lower = stands_out(inside, rig.neutral, np.zeros(52, np.float32))
    assert upper.max() < 0 and lower.max() < 0


@pytest.mark.data
@pytest.mark.whole
@pytest.mark.skipif(not (DATA / "models/ict_facekit").is_dir(), reason="no ../shared/data")
def test_ict_gives_way_too() -> None:
    rig = read_ict(DATA / "models/ict_facekit")
    mouth = mouth_inside(rig)
    assert mouth is not None
    fixed, rest, told = behind_lips(rig, rig.neutral)
    again = mouth_inside(fixed)
    assert again is not None and told > 0
    for pose in common_poses(rig.names):
        assert max(row.max(initial=-1) for row in stands_out(again, rest, pose)) <= 0
