"""Which triangle is seen where, on pictures small enough to draw by hand."""

import numpy as np

from backend.geometry.triangles import Seen, nearest_triangles

HALF = np.array([[[0, 0], [4, 0], [0, 4]]], float)  # the upper left half of four by four pixels


def image(seen: Seen, size: tuple[int, int]) -> list[str]:
    """Rows of triangles' numbers, a dot where there is none."""
    letters = ["."] * (size[0] * size[1])
    for pixel, triangle in zip(seen.pixels, seen.triangles, strict=True):
        letters[pixel] = str(triangle)
    return ["".join(letters[row * size[0] : (row + 1) * size[0]]) for row in range(size[1])]


def flat(count: int, nearness: float = 1) -> np.ndarray:
    return np.full((count, 3), nearness)


def test_a_pixel_is_covered_where_its_centre_is() -> None:
    assert image(nearest_triangles(HALF, flat(1), (4, 4)), (4, 4)) == [
        "0000",
        "000.",
        "00..",
        "0...",
    ]
    moved = HALF + np.array([0.6, 0])
    assert image(nearest_triangles(moved, flat(1), (4, 4)), (4, 4)) == [
        ".000",
        ".00.",
        ".0..",
        "....",
    ]


def test_both_sides_are_seen() -> None:
    turned = HALF[:, ::-1]
    assert image(nearest_triangles(turned, flat(1), (4, 4)), (4, 4)) == [
        "0000",
        "000.",
        "00..",
        "0...",
    ]


def test_pictures_may_be_wide_or_high_and_triangles_stick_out() -> None:
    large = np.array([[[-3, -2], [9, -2], [-3, 10]]], float)
    for size in ((5, 2), (2, 3)):
        assert image(nearest_triangles(large, flat(1), size), size) == ["0" * size[0]] * size[1]
    corner = np.array([[[3.2, 1.2], [9, 1.2], [3.2, 9]]])
    assert image(nearest_triangles(corner, flat(1), (5, 3)), (5, 3)) == [
        ".....",
        "...00",
        "...00",
    ]


def test_what_lies_outside_or_has_no_area_is_not_seen() -> None:
    beyond = [
        [[-3, 0], [-1, 0], [-1, 3]],
        [[5, 0], [7, 0], [7, 3]],
        [[0, -3], [3, -1], [0, -1]],
        [[0, 5], [3, 5], [0, 9]],
    ]
    thin = [[[0, 0.5], [2, 0.5], [4, 0.5]], [[1.5, 1.5]] * 3]
    seen = nearest_triangles(np.array(beyond + thin, float), flat(6), (4, 4))
    assert len(seen.pixels) == len(seen.triangles) == len(seen.weights) == len(seen.nearness) == 0
    assert len(nearest_triangles(np.zeros((0, 3, 2)), flat(0), (4, 4)).pixels) == 0


def test_the_nearest_wins_whatever_the_order() -> None:
    two = np.concatenate([HALF, HALF + np.array([0, 1])])
    assert image(nearest_triangles(two, np.stack([[2.0] * 3, [1.0] * 3]), (4, 4)), (4, 4)) == [
        "0000",
        "0001",
        "001.",
        "01..",
    ]
    assert image(nearest_triangles(two, np.stack([[1.0] * 3, [2.0] * 3]), (4, 4)), (4, 4)) == [
        "0000",
        "1111",
        "111.",
        "11..",
    ]


def test_triangles_pass_through_each_other() -> None:
    """One comes nearer to the right, the other to the left: they change in the middle."""
    wide = np.array([[[-4, -4], [12, -4], [-4, 12]]] * 2, float)
    nearness = np.array([[-4, 12, -4], [8, -8, 8]], float)  # x, and 4 - x
    assert image(nearest_triangles(wide, nearness, (4, 1)), (4, 1)) == ["1100"]


def test_weights_find_the_point_and_its_nearness() -> None:
    points = np.array([[[0.3, 0.2], [7.1, 1.4], [2.2, 5.9]], [[7.5, 5.5], [3, 6], [7, 2]]])
    nearness = np.array([[1, 2, 4], [0.5, 0.25, 1]], float)
    seen = nearest_triangles(points, nearness, (8, 7))
    centers = np.stack([seen.pixels % 8, seen.pixels // 8], 1) + 0.5
    assert len(seen.pixels) > 15 and set(seen.triangles) == {0, 1}
    np.testing.assert_allclose(seen.weights.sum(1), 1)
    assert seen.weights.min() >= 0
    np.testing.assert_allclose(
        (seen.weights[..., None] * points[seen.triangles]).sum(1), centers, atol=1e-12
    )
    np.testing.assert_allclose(seen.nearness, (seen.weights * nearness[seen.triangles]).sum(1))
    assert (np.diff(seen.pixels) > 0).all(), "each pixel once, in the order of the picture"


def test_random_triangles_against_a_look_at_every_pixel() -> None:
    random, size = np.random.default_rng(0), (13, 9)
    points, nearness = random.uniform(-2, 14, (40, 3, 2)), random.uniform(1, 2, (40, 3))
    points[20:] = points[20:, :1] + random.uniform(
        -1.5, 1.5, (20, 3, 2)
    )  # small ones, a pixel wide
    for some in (slice(0, 40), slice(20, 40), slice(0, 20)):
        seen = nearest_triangles(points[some], nearness[some], size)
        wanted = []
        for pixel in range(13 * 9):
            number = nearest_at(points[some], nearness[some], pixel % 13 + 0.5, pixel // 13 + 0.5)
            if number is not None:
                wanted.append((pixel, number))
        assert list(zip(seen.pixels, seen.triangles, strict=True)) == wanted


def nearest_at(points: np.ndarray, nearness: np.ndarray, x: float, y: float) -> int | None:
    """By solving for the corners' weights."""
    found = []
    for number, corners in enumerate(points):
        weights = np.linalg.solve(np.concatenate([corners.T, np.ones((1, 3))]), [x, y, 1])
        if weights.min() >= 0:
            found.append((weights @ nearness[number], number))
    return max(found)[1] if found else None


def test_thin_slivers_still_cover_what_they_cross() -> None:
    sliver = np.array([[[0, 0.5 - 1e-9], [4, 0.5 - 1e-9], [4, 0.5 + 1e-9]]])
    assert set(nearest_triangles(sliver, flat(1), (4, 1)).pixels) <= {0, 1, 2, 3}
    assert len(nearest_triangles(sliver, flat(1), (4, 1)).pixels) > 0
