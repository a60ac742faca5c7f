"""Names matched with files, and the one order that they have."""

import random

import pytest

from backend.formats.name_pairing import listed, pair_names
from backend.formats.natural_order import frame_number, natural_key


@pytest.mark.parametrize("names", [
    ["1.jpg", "2.jpg", "10.jpg", "100.jpg"], ["frame_7.png", "frame_8.png", "frame_10.png"],
    ["a/9.jpg", "a/10.jpg", "b/1.jpg"], ["cam2/5.jpg", "cam10/1.jpg"],
    ["IMG_1.JPG", "img_2.jpg", "IMG_3.jpg"], ["a.jpg", "a-1.jpg", "a_2.jpg"],
    ["0001.jpg", "2.jpg", "003.jpg"], ["v1.2.jpg", "v1.10.jpg", "v2.1.jpg"],
    ["x\\2.jpg", "x\\10.jpg"], ["20240101_000001.jpg", "20240101_000002.jpg"],
])  # fmt: skip
def test_natural_order(names: list[str]) -> None:
    shuffled = random.Random(0).sample(names, len(names))
    assert sorted(shuffled, key=natural_key) == names
    shuffled.reverse()
    assert sorted(shuffled, key=natural_key) == names


def test_order_does_not_depend_on_how_the_list_came() -> None:
    """Names that differ in case, zeros or digits of other scripts alone."""
    names = ["a1.jpg", "A1.jpg", "a01.jpg", "a².jpg", "a１.jpg", "9" * 400 + ".jpg"]
    orders = {tuple(sorted(random.Random(i).sample(names, 6), key=natural_key)) for i in range(20)}
    assert len(orders) == 1


@pytest.mark.parametrize(("name", "number"), [
    ("frame_00012.jpg", 12), ("7.png", 7), ("v2_0003_left.jpg", 3), ("a/8/b.jpg", None),
    ("photo.jpg", None), ("x.mp4", None), ("1" * 12 + ".jpg", None),
])  # fmt: skip
def test_numbers_of_frames(name: str, number: int | None) -> None:
    assert frame_number(name) == number


@pytest.mark.parametrize(("wanted", "files", "pairs"), [
    (["a.JPG"], ["a.jpg"], {"a.JPG": "a.jpg"}),
    (["a.jpg"], ["a.jpg", "a.JPG"], {"a.jpg": "a.jpg"}),
    (["a.jpeg"], ["A.png"], {"a.jpeg": "A.png"}),
    (["a.tif"], ["a.png", "a.jpg"], {}),
    (["A.jpg", "a.jpg"], ["a.JPG"], {"a.jpg": "a.JPG"}),
    (["x/a.jpg", "y/a.jpg"], ["a.jpg"], {}),
    (["a.jpg"], ["x/a.jpg", "y/a.jpg"], {}),
    (["x/a.jpg", "y/a.jpg"], ["images/x/a.jpg", "images/y/a.jpg"],
     {"x/a.jpg": "images/x/a.jpg", "y/a.jpg": "images/y/a.jpg"}),
    (["x\\a.jpg"], ["x/a.jpg"], {"x\\a.jpg": "x/a.jpg"}),
    (["Ko\u0308ln.jpg"], ["K\u00f6ln.jpg"], {"Ko\u0308ln.jpg": "K\u00f6ln.jpg"}),
    (["1.jpg", "2.jpg"], ["10.jpg", "20.jpg"], {}),
    (["a.jpg", "b.jpg"], ["a.jpg", "other/b.jpg"], {"a.jpg": "a.jpg"}),
    ([], ["a.jpg"], {}), (["a.jpg"], [], {}),
])  # fmt: skip
def test_pairs(wanted: list[str], files: list[str], pairs: dict[str, str]) -> None:
    assert pair_names(wanted, files) == pairs


@pytest.mark.parametrize(("picture", "mask"), [
    ("1.jpg", "1.jpg.png"), ("1.jpg", "1.png"), ("1.jpg", "1_mask.png"), ("1.jpg", "1.mask.png"),
    ("1.jpg", "1.JPG.PNG"), ("1.jpg", "mask_1.png"), ("1.jpg", "1-mask.tif"),
    ("cam/1.jpg", "cam/1.jpg.png"), ("cam/1.jpg", "1.png"), ("1.jpg", "1_alpha.png"),
])  # fmt: skip
def test_masks_by_known_suffixes(picture: str, mask: str) -> None:
    others = [mask.replace("1", n) for n in ("2", "10", "11")]
    pictures = [picture.replace("1", n) for n in ("10", "2", "11")]
    pairs = pair_names([*pictures, picture], [*others, mask], is_mask=True)
    assert pairs[picture] == mask
    rest = zip(pictures, [others[1], others[0], others[2]], strict=True)
    assert pairs == {**dict(rest), picture: mask}


def test_a_picture_and_its_converted_twin_keep_their_own_masks() -> None:
    pairs = pair_names(["a.jpg", "a.png"], ["a.png.png", "a.jpg.png"], is_mask=True)
    assert pairs == {"a.jpg": "a.jpg.png", "a.png": "a.png.png"}
    assert pair_names(["a.jpg", "a.png"], ["a_mask.png"], is_mask=True) == {}


def test_lists_in_sentences_are_short() -> None:
    assert listed(["b10", "b9"]) == "b9, b10"
    assert listed(map(str, range(9)), 3) == "0, 1, 2 and 6 more"
