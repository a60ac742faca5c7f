"""A whole head of footage that the test renders: mattes, hair, shoulders, colours of what is never
seen, the neck.
"""

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from backend.protocol import InputError
from backend.talking_head.rigs.drawing import COLORS, PortraitCamera, draw, portrait, see
from backend.talking_head.rigs.rig import Part, Rig
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.whole_head import neck
from backend.talking_head.whole_head.anatomy import NECK, Anatomy, anatomy, mirrored, stillness
from backend.talking_head.whole_head.assembly import smaller
from backend.talking_head.whole_head.body import (
    AROUND,
    DROPS,
    OVERLAP,
    Bust,
    usual_bust,
    with_bust,
    without_shoulders,
)
from backend.talking_head.whole_head.bust_fit import fitted_bust
from backend.talking_head.whole_head.collar import with_collar
from backend.talking_head.whole_head.matting import head_place, person_mattes
from backend.talking_head.whole_head.paint import HeadRegion, painted, regions
from backend.talking_head.whole_head.person_network import people
from backend.talking_head.whole_head.shell import Outlines, directions, fitted_shell
from backend.talking_head.whole_head.soft_edges import by_colors

STEEPEST = 1.0  # centimetres a centimetre
SIDE, FRAMES, HAIR = 128, 8, 2.0
TURNS = np.linspace(-0.35, 0.35, FRAMES)


class Filmed:
    """The small head with hair and shoulders before a wall in stripes of the hair's lightness."""

    def __init__(self) -> None:
        self.rig, self.where = cut_head()
        bare = self.rig.neutral
        still = stillness(self.rig)
        above = np.clip((bare[:, 1] - self.where.eyes[1] - 2) / 2, 0, 1)
        self.truth = bare + directions(bare, self.where) * (HAIR * above * still)[:, None]
        bust = usual_bust(self.where)
        self.dressed, self.rest = with_bust(self.rig, self.truth, bust)
        self.colors = np.tile(np.array([0.8, 0.6, 0.5], np.float32), (len(self.rest), 1))
        self.colors[: len(bare)][above > 0.3] = [0.2, 0.12, 0.08]
        self.colors[len(bare) :] = [0.15, 0.25, 0.2]
        self.views, self.images, self.masks = [], [], []
        stripes = np.sin(np.arange(SIDE) / 5)[None, :, None] * 12
        wall = (np.array([90, 100, 150], np.float32) + stripes).repeat(SIDE, 0).astype(np.uint8)
        for k, turn in enumerate(TURNS):
            view = portrait(SIDE, turn, height=44.0)
            shift = np.array([2 * np.sin(k), 4, np.cos(k)])
            view = PortraitCamera(
                rotation=view.rotation,
                translation=view.translation + shift,
                focal=view.focal,
                width=SIDE,
                height=SIDE,
            )
            flat = np.zeros(SIDE * SIDE, bool)
            flat[see(self.dressed, self.rest, view).pixels] = True
            mask = flat.reshape(SIDE, SIDE)
            drawn = draw(self.dressed, self.rest, view, self.colors)
            self.views.append(view)
            self.masks.append(mask)
            self.images.append(np.where(mask[..., None], drawn, wall))

    def outlines(self) -> Outlines:
        bare = self.rig.neutral
        mattes = [mask.astype(np.float32) for mask in self.masks]
        return Outlines(mattes=mattes, views=self.views, posed=[bare] * FRAMES)


def cut_head() -> tuple[Rig, Anatomy]:
    rig = small_head()
    where = anatomy(rig, rig.neutral)
    return without_shoulders(rig, rig.neutral, where)[0], where


@pytest.fixture(scope="module")
def filmed() -> Filmed:
    return Filmed()


def test_the_person_is_cut_out_with_hair_and_shoulders(filmed: Filmed) -> None:
    above = filmed.where.height(filmed.rig.neutral) > 0
    places = [head_place(view, filmed.rig.neutral[above], 1.0) for view in filmed.views]
    mattes = person_mattes(filmed.images, places)
    for matte, mask in zip(mattes, filmed.masks, strict=True):
        found = matte > 0.5
        assert (found & mask).sum() / (found | mask).sum() > 0.93
        inner = cv2.erode(mask.astype(np.uint8), np.ones((7, 7))) > 0
        outer = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7))) > 0
        assert (matte[inner] > 0.9).mean() > 0.97 and (matte[~outer] < 0.1).mean() > 0.97


def test_a_network_may_say_who_is_the_person(filmed: Filmed) -> None:
    """Whatever number it has for people; one that sees none is refused."""
    above = filmed.where.height(filmed.rig.neutral) > 0
    places = [head_place(view, filmed.rig.neutral[above], 1.0) for view in filmed.views]

    def network(numbers: list[int]) -> Any:
        masks = iter(filmed.masks)
        return SimpleNamespace(
            model=SimpleNamespace(name="net.onnx"),
            classes=lambda image: np.array(numbers)[next(masks).astype(int)],
        )

    told = people(network([0, 15]), filmed.images, places)
    assert all((a == b).all() for a, b in zip(told, filmed.masks, strict=True))
    mattes = person_mattes(filmed.images, places, told=told)
    right = [(m > 0.5) == mask for m, mask in zip(mattes, filmed.masks, strict=True)]
    assert np.mean(right) > 0.97
    with pytest.raises(InputError, match="sees no person"):
        people(network([0, 0]), filmed.images, places)


def test_hair_is_found_by_its_outline(filmed: Filmed) -> None:
    """Where frames show it, and behind, where none does; the face stays where it is."""
    rig, where, bare = filmed.rig, filmed.where, filmed.rig.neutral
    still = stillness(rig)
    found = fitted_shell(rig, bare, still, where, filmed.outlines())
    far = ((found - bare) * directions(bare, where)).sum(1)
    on_top = (bare[:, 1] > where.eyes[1] + 6) & (still > 0.9)
    behind = on_top & (bare[:, 2] < where.centre[2] - 3)
    assert far[on_top].mean() == pytest.approx(HAIR, abs=0.4)
    assert far[behind].mean() > 0.5 * HAIR and far[behind].min() > 0
    assert np.abs(far[still < 0.01]).max() < 1e-6
    other = far[mirrored(bare)]
    assert np.abs(far - other)[on_top].mean() < 0.25, "both sides alike"


def test_hair_goes_over_into_the_face_without_folds(filmed: Filmed) -> None:
    """Along every edge between what stays and what is moved; ears that are meshes of their own go
    as one piece, with the skin beside them.
    """
    rig, where, bare = filmed.rig, filmed.where, filmed.rig.neutral
    moved = fitted_shell(rig, bare, stillness(rig), where, filmed.outlines()) - bare
    skin = rig.triangles[rig.triangle_parts == Part.SKIN]
    edges = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]]])
    length = np.linalg.norm(bare[edges[:, 0]] - bare[edges[:, 1]], axis=1)
    edges = edges[(length > 0.2) & (bare[edges[:, 0], 1] > where.eyes[1])]
    steep = np.linalg.norm(moved[edges[:, 0]] - moved[edges[:, 1]], axis=1) / np.linalg.norm(
        bare[edges[:, 0]] - bare[edges[:, 1]], axis=1
    )
    assert steep.max() < STEEPEST and np.linalg.norm(moved, axis=1).max() > 0.7 * HAIR
    for side in (1, -1):
        ear = _ear(rig, side)
        assert len(ear) > 20 and np.ptp(moved[ear], axis=0).max() < 1e-6
        beside = np.linalg.norm(bare - bare[ear].mean(0), axis=1) < 3
        beside[ear] = False
        assert np.linalg.norm(moved[ear[0]] - moved[beside].mean(0)) < 0.8


def _ear(rig: Rig, side: int) -> np.ndarray:
    """Vertices of a piece of skin that hangs together with nothing else, on the person's left (1)
    or right.
    """
    count = len(rig.neutral)
    pairs = np.concatenate([rig.triangles[:, [0, 1]], rig.triangles[:, [1, 2]]])
    near = coo_matrix((np.ones(len(pairs)), tuple(pairs.T)), (count, count))
    label = connected_components(near, directed=False)[1]
    sizes = np.bincount(label)
    for number in np.argsort(sizes)[::-1][1:]:
        piece = np.flatnonzero(label == number)
        if (rig.vertex_parts[piece] == Part.SKIN).all() and side * rig.neutral[piece[0], 0] > 4:
            return piece
    raise AssertionError("no ear")


def test_the_neck_ends_within_the_bust() -> None:
    """All around, whatever its outline; a bust that knows nothing of it lets it stand out."""
    rig, where = cut_head()
    rest, height = rig.neutral.copy(), where.height(rig.neutral)
    thick = 1 + 0.25 * np.clip(-height - 1, 0, 1)
    rest[:, 0] *= thick
    rest[:, 2] = where.joint[2] + (rest[:, 2] - where.joint[2]) * thick
    height = where.height(rest)
    end = rest[(height < OVERLAP - NECK - 0.7) & (rig.vertex_parts == Part.SKIN)]
    across, ahead = end[:, 0], end[:, 2] - where.joint[2]
    far, angle = np.hypot(across, ahead), np.arctan2(across, ahead) % (2 * np.pi)

    def outside(bust: Bust) -> float:
        ring = bust.vertices().reshape(len(DROPS), AROUND, 3)[1]
        wide = np.hypot(ring[:, 0], ring[:, 2] - where.joint[2])
        places = np.arange(AROUND) / AROUND * 2 * np.pi
        return float((far > np.interp(angle, places, wide, period=2 * np.pi)).mean())

    assert len(end) > 12 and outside(usual_bust(where)) > 0.1
    bust = usual_bust(where, rest)
    assert outside(bust) == 0
    first = bust.vertices()[:AROUND]
    around = rest[np.abs(where.height(rest) - (OVERLAP - NECK)) < 0.7]
    inner = np.hypot(first[:, 0], first[:, 2] - where.joint[2])
    assert inner.max() < np.hypot(around[:, 0], around[:, 2] - where.joint[2]).max(), "closed"


def test_a_collar_goes_all_around_and_leaves_the_nape_bare() -> None:
    """Its colour is seen from the front alone. A bare throat is no collar."""
    rig, where = cut_head()
    whole, rest = with_bust(rig, rig.neutral, usual_bust(where, rig.neutral))
    body = np.arange(len(rest)) >= len(rig.neutral)
    plain = regions(whole, rest, where, body)
    height, front = where.height(rest), rest[:, 2] > where.joint[2] + 1
    skin, white = np.array([0.75, 0.55, 0.45]), np.array([0.95, 0.95, 0.97])
    worn = body | (height < -1.5)

    def seen(dressed: np.ndarray) -> np.ndarray:
        colors = np.where(dressed[:, None], white, skin)
        rows = np.where(front[:, None], colors, np.nan)[None].repeat(3, 0)
        return np.asarray(rows, np.float32)

    region = with_collar(plain, seen(worn), rest, where)
    outside = whole.vertex_parts == Part.SKIN
    neck = outside & ~body & (height < 0) & (plain == HeadRegion.SKIN)
    low, high = neck & (height < -1.8), neck & (height > -1.2)
    assert low.sum() > 20 and (region[low] == HeadRegion.BODY).all()
    assert high.sum() > 20 and (region[high] == HeadRegion.SKIN).all()
    surface = painted(seen(worn), whole, rest, region)
    nape = high & (rest[:, 2] < where.joint[2] - 3)
    assert np.abs(surface.colors[nape] - skin).max() < 0.03
    before = painted(seen(worn), whole, rest, plain)
    assert np.abs(before.colors[nape] - skin).max() > 0.1, "white had flown up the nape"
    bare = with_collar(plain, seen(np.zeros(len(rest), bool)), rest, where)
    np.testing.assert_array_equal(bare, plain)
    nothing = np.full((3, len(rest), 3), np.nan, np.float32)
    np.testing.assert_array_equal(with_collar(plain, nothing, rest, where), plain)


def test_an_edge_is_where_the_colours_say() -> None:
    """A matte that is two pixels too wide takes in no wall; where both sides are alike it stays."""
    row, column = np.mgrid[:80, :80]
    far = np.hypot(row - 40, column - 40)
    truth = np.clip(25.5 - far, 0, 1).astype(np.float32)[..., None]
    dark, light = np.array([40, 30, 20]), np.array([200, 205, 215])
    image = (truth * dark + (1 - truth) * light).round().astype(np.uint8)
    wide = np.clip(27.5 - far, 0, 1).astype(np.float32)
    found = by_colors(image, wide, 3)
    assert np.abs(found - truth[..., 0]).max() < 0.06
    assert np.abs(wide - truth[..., 0]).max() > 0.9
    gray = np.full((80, 80, 3), 120, np.uint8)
    np.testing.assert_allclose(by_colors(gray, wide, 3), wide, atol=1e-6)


def test_shoulders_are_as_wide_as_they_are_seen(filmed: Filmed) -> None:
    usual = usual_bust(filmed.where)
    narrow = with_bust(filmed.rig, filmed.truth, usual)[1][len(filmed.truth) :]
    assert np.ptp(narrow[:, 0]) > 30
    mattes = [m.astype(np.float32) for m in filmed.masks]
    turns = [np.eye(3, dtype=np.float32)] * FRAMES  # here they turn with the head
    found = fitted_bust(usual, mattes, filmed.views, turns)
    shown = slice(3, 7)
    assert np.abs(found.widths - usual.widths)[shown].max() < 3
    half = [np.where(np.abs(np.arange(SIDE) - SIDE / 2) < 10, m, 0) for m in mattes]
    assert (fitted_bust(usual, half, filmed.views, turns).widths[shown] < 8).all()


def test_what_is_unseen_is_painted_with_its_own_kind() -> None:
    """Half the face from the other half, the back of the head like hair, the nape like skin."""
    rig, where = cut_head()
    rest = rig.neutral
    region = regions(rig, rest, where, np.zeros(len(rest), bool))
    skin, hair = np.array([0.8, 0.6, 0.5], np.float32), np.array([0.1, 0.3, 0.1], np.float32)
    truth = np.where((region == HeadRegion.SCALP)[:, None], hair, skin)
    seen = (rest[:, 2] > where.centre[2]) & (rest[:, 0] > -1)
    rows = np.where(seen[:, None], truth, np.nan)[None].repeat(3, 0).astype(np.float32)
    surface = painted(rows, rig, rest, region)
    outside = rig.vertex_parts == Part.SKIN
    assert np.abs(surface.colors - truth)[outside].max() < 0.02
    assert surface.known[seen].all() and surface.known[~seen].mean() < 0.2
    back = outside & (rest[:, 2] < where.centre[2] - 5)
    assert (region[back & (rest[:, 1] > where.eyes[1])] == HeadRegion.SCALP).all()
    nothing = painted(np.full_like(rows, np.nan), rig, rest, region)
    assert not nothing.known.any() and np.isfinite(nothing.colors).all()
    np.testing.assert_allclose(
        nothing.colors[rig.vertex_parts == Part.TEETH][0], COLORS[Part.TEETH], atol=1e-6
    )


def test_the_head_turns_upon_shoulders_that_stay() -> None:
    rig, where = cut_head()
    whole, rest = with_bust(rig, rig.neutral, usual_bust(where))
    shapes = neck.shapes(rest, where)
    angles = np.array([[0.3, 0, 0], [0, -0.4, 0], [0, 0, 0.25], [0.2, 0.3, -0.1]], np.float32)
    turns = neck.head_turn(angles)
    np.testing.assert_allclose(neck.angles_of(turns), angles, atol=1e-6)
    bent = rest + np.tensordot(neck.coefficients(angles), shapes, 1)
    head, bust = where.follow(rest) == 1, np.arange(len(rest)) >= len(rig.neutral)
    for turn, vertices, angle in zip(turns, bent, angles, strict=True):
        turned = (vertices - where.joint) @ turn.T + where.joint
        assert np.abs(vertices - rest)[head].max() < 1e-5, "the head is at home in its own axes"
        moved = np.linalg.norm(turned - rest, axis=1)[bust]
        assert moved.max() < (1.3 if np.count_nonzero(angle) == 1 else 2.5), "a chord's height"
    up = neck.head_turn(np.array([[0.3, 0, 0]], np.float32))[0] @ [0, 0, 1]
    left = neck.head_turn(np.array([[0, 0.3, 0]], np.float32))[0] @ [0, 0, 1]
    tilted = neck.head_turn(np.array([[0, 0, 0.3]], np.float32))[0] @ [0, 1, 0]
    assert up[1] > 0.2 and left[0] > 0.2 and tilted[0] > 0.2
    assert len(whole.triangles) > len(rig.triangles)


def test_a_smaller_picture_shows_the_same() -> None:
    view = portrait(400, 0.3)
    small = smaller(view, (100, 100))
    point = np.array([[2, -3, 8]], np.float32)
    np.testing.assert_allclose(view.project(point)[:, :2] / 4, small.project(point)[:, :2])
