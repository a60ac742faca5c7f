"""Rules by which shape keys are told apart."""

import pytest

from backend.formats.arkit import BLENDSHAPES, mirrored
from backend.formats.face_names import Match, matches


def curves(*keys: str) -> list[str]:
    return [match.curve for match in matches(list(keys))]


def test_two_visemes_are_no_set_and_three_are() -> None:
    lips = ["jawOpen", "mouthClose"]
    assert curves(*lips, "viseme_aa", "viseme_PP") == lips
    assert curves(*lips, "viseme_aa", "viseme_PP", "viseme_FF") == [
        "viseme_aa",
        "viseme_PP",
        "viseme_FF",
    ]


def test_a_jaw_and_three_lips_speak_better_than_visemes() -> None:
    visemes = ["viseme_aa", "viseme_PP", "viseme_FF"]
    lips = ["jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"]
    assert curves(*lips, *visemes) == lips
    assert curves(*lips[:3], *visemes) == visemes, "too few lips"
    assert curves("mouthRollUpper", *lips[1:], *visemes) == visemes, "no jaw"


def test_eyes_stay_beside_visemes() -> None:
    assert curves("eyeBlinkLeft", "jawOpen", "viseme_aa", "viseme_PP", "viseme_FF") == [
        "eyeBlinkLeft",
        "viseme_aa",
        "viseme_PP",
        "viseme_FF",
    ]
    assert curves("eyeBlinkLeft", "viseme_aa") == ["eyeBlinkLeft", "viseme_aa"]


def test_the_narrow_mouth_of_vroid_is_no_eyelid() -> None:
    assert matches(["Fcl_MTH_Close"]) == []
    assert curves("Fcl_EYE_Close") == ["eyeBlinkLeft", "eyeBlinkRight"]


@pytest.mark.parametrize("name", BLENDSHAPES)
def test_mirrored_twice_is_the_same(name: str) -> None:
    assert mirrored(mirrored(name)) == name
    assert mirrored(name) in BLENDSHAPES
    assert (mirrored(name) == name) == (not name.endswith(("Left", "Right")))


def test_a_side_alone_names_nothing() -> None:
    assert matches(["Left", "_R", ""]) == []


def test_one_key_for_both_sides_moves_half_as_far_for_each() -> None:
    assert matches(["blink"]) == [
        Match("eyeBlinkLeft", "blink", 0.5),
        Match("eyeBlinkRight", "blink", 0.5),
    ]
    assert matches(["blink", "Blink_R"]) == [
        Match("eyeBlinkLeft", "blink", 0.5),
        Match("eyeBlinkRight", "Blink_R"),
    ]
