"""Shape keys are known by the names that tools give them."""

import pytest

from backend.formats.arkit import BLENDSHAPES
from backend.formats.face_names import Match, matches


@pytest.mark.parametrize(
    "write",
    [
        lambda n: n,
        lambda n: n[0].upper() + n[1:],
        lambda n: n.replace("Left", "_L").replace("Right", "_R"),
        lambda n: "ARKit_" + n,
        lambda n: "blendShape." + n,
        lambda n: n.replace("Left", ".L").replace("Right", ".R"),
        lambda n: "".join("_" + c.lower() if c.isupper() else c for c in n),
        str.upper,
        lambda n: "Head_" + n,
    ],
)
def test_all_of_arkit_however_it_is_written(write) -> None:  # type: ignore[no-untyped-def]
    keys = [write(name) for name in BLENDSHAPES]
    assert matches(["Basis", *keys]) == [
        Match(name, key) for name, key in zip(BLENDSHAPES, keys, strict=True)
    ]


def test_one_key_for_both_sides_and_two_for_one() -> None:
    assert matches(["mouthSmile"]) == [
        Match("mouthSmileLeft", "mouthSmile", 0.5),
        Match("mouthSmileRight", "mouthSmile", 0.5),
    ]
    assert [m.curve for m in matches(["browInnerUp_L", "browInnerUp_R"])] == ["browInnerUp"] * 2


@pytest.mark.parametrize(
    ("keys", "curves"),
    [
        (["viseme_sil", "viseme_PP", "viseme_aa"], ["viseme_sil", "viseme_PP", "viseme_aa"]),
        (
            ["Fcl_MTH_A", "Fcl_MTH_I", "Fcl_MTH_U", "Fcl_MTH_E", "Fcl_MTH_O"],
            ["viseme_aa", "viseme_ih", "viseme_ou", "viseme_E", "viseme_oh"],
        ),
        (
            ["A", "I", "U", "E", "O"],
            ["viseme_aa", "viseme_ih", "viseme_ou", "viseme_E", "viseme_oh"],
        ),
        (
            ["aa", "ih", "ou", "ee", "oh"],
            ["viseme_aa", "viseme_ih", "viseme_ou", "viseme_E", "viseme_oh"],
        ),
        (["vrc.v_pp", "vrc.v_oh"], ["viseme_PP", "viseme_oh"]),
        (["MBP", "FV", "WQ"], ["viseme_PP", "viseme_FF", "viseme_ou"]),
    ],
)
def test_visemes_of_all_schools(keys: list[str], curves: list[str]) -> None:
    assert [m.curve for m in matches(keys)] == curves


def test_free_names() -> None:
    found = {
        m.key: m.curve
        for m in matches(["Basis", "Mouth Open", "Blink_L", "Smile.R", "bump map", "Key 1"])
    }
    assert found == {
        "Mouth Open": "jawOpen",
        "Blink_L": "eyeBlinkLeft",
        "Smile.R": "mouthSmileRight",
    }


def test_a_mouth_of_arkit_needs_no_visemes() -> None:
    assert [m.curve for m in matches(["jawOpen", "viseme_aa", "A"])] == ["jawOpen"]


def test_avatars_that_have_more_than_one_set() -> None:
    vroid = [
        "Fcl_MTH_Close",
        "Fcl_EYE_Close",
        "Fcl_EYE_Close_L",
        "Fcl_EYE_Close_R",
        "Fcl_MTH_A",
        "Fcl_MTH_I",
        "Fcl_MTH_U",
        "Fcl_MTH_E",
        "Fcl_MTH_O",
    ]
    found = {(m.key, m.curve) for m in matches(vroid)}
    assert ("Fcl_EYE_Close_L", "eyeBlinkLeft") in found and (
        "Fcl_EYE_Close_R",
        "eyeBlinkRight",
    ) in found
    assert not {"Fcl_MTH_Close", "Fcl_EYE_Close"} & {key for key, _ in found}, (
        "lids must not close twice, nor the mouth with them"
    )
    assert {curve for key, curve in found if "MTH" in key} == {
        "viseme_aa",
        "viseme_ih",
        "viseme_ou",
        "viseme_E",
        "viseme_oh",
    }
    vrchat = matches(["smile", "mouthOpen", "vrc.v_aa", "vrc.v_oh", "vrc.v_pp", "blink"])
    assert {m.curve for m in vrchat} == {
        "viseme_aa",
        "viseme_oh",
        "viseme_PP",
        "eyeBlinkLeft",
        "eyeBlinkRight",
    }
    assert matches(["Jaw"]) == [Match("jawOpen", "Jaw")]
    assert matches(["Mouth"]) == []
