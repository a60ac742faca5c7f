"""Shape keys by the names of programs: what a name means is decided by the whole set."""

import pytest

from backend.formats import face_schemes
from backend.formats.arkit import BLENDSHAPES
from backend.formats.face_names import VISEME_CURVES, matches


def first(keys: list[str]) -> dict[str, str]:
    """What each key does most."""
    found: dict[str, str] = {}
    for match in matches(keys):
        found.setdefault(match.key, match.curve)
    return found


def check(keys: list[str], wanted: dict[str, str]) -> None:
    found = first(keys)
    assert {key: found.get(key) for key in wanted} == wanted
    assert set(found.values()) <= {*BLENDSHAPES, *VISEME_CURVES}


RHUBARB = {
    "A": "viseme_PP", "B": "viseme_DD", "C": "viseme_E", "D": "viseme_aa", "E": "viseme_oh",
    "F": "viseme_ou", "G": "viseme_FF", "H": "viseme_TH", "X": "viseme_sil",
}  # fmt: skip


@pytest.mark.parametrize("before", ["", "Mouth_", "mouth.", "Rhubarb ", "MouthShape", "lipsync-"])
def test_rhubarbs_letters(before: str) -> None:
    keys = [before + letter for letter in RHUBARB]
    check(["Basis", *keys, "blink_L"], {before + k: v for k, v in RHUBARB.items()})


@pytest.mark.parametrize("form", ["{}_mouth", "{} Mouth", "{}-shape", "rig.{}.lips", "m_{}_key"])
def test_rhubarbs_letters_may_come_first(form: str) -> None:
    keys = [form.format(letter) for letter in RHUBARB]
    check(["Basis", *keys, "blink_L"], {form.format(k): v for k, v in RHUBARB.items()})


def test_letters_that_go_on_differently_are_no_set() -> None:
    assert not matches(["A_mouth", "B_nose", "C_hand", "D_foot"])


def test_rhubarbs_six_letters_make_every_sound() -> None:
    found = matches(list("ABCDEF"))
    spoken = {match.curve for match in found}
    assert spoken == set(VISEME_CURVES) - {"viseme_sil"}
    assert first(list("ABCDEF"))["A"] == "viseme_PP", "closed lips"


def test_vowels_are_no_rhubarb() -> None:
    for keys in (list("AIUEO"), ["A", "E", "I", "O", "U", "B"], ["Fcl_MTH_A", "Fcl_MTH_E"]):
        assert first(keys)[keys[0]] == "viseme_aa"


def test_reallusion_with_and_without_its_prefix() -> None:
    wanted = {
        "Open": "viseme_aa", "Explosive": "viseme_PP", "Dental_Lip": "viseme_FF",
        "Tight_O": "viseme_ou", "Wide": "viseme_E", "Affricate": "viseme_CH",
        "Tongue_Out": "viseme_TH", "Tongue_Raise": "viseme_kk",
    }  # fmt: skip
    eyes = {"Eye_Blink_L": "eyeBlinkLeft", "Eye_Wide_R": "eyeWideRight"}
    check([*wanted, "Lip_Open", *eyes], {**wanted, **eyes})
    named = {f"V_{key}": curve for key, curve in wanted.items()}
    check([*named, "V_Lip_Open", *eyes], {**named, **eyes})
    hyphens = {key.replace("_", "-"): curve for key, curve in wanted.items()}
    check([*hyphens, "Lip-Open"], hyphens)
    assert first(["V_Wide"])["V_Wide"] == "viseme_E", "a mouth, even alone"
    assert first(["Wide", "Blink"])["Wide"] == "eyeWideLeft", "an eye among eyes"


def test_reallusions_pairs() -> None:
    wanted = {
        "IH": "viseme_ih", "Ah": "viseme_aa", "Oh": "viseme_oh", "W_OO": "viseme_ou",
        "S_Z": "viseme_SS", "Ch_J": "viseme_CH", "F_V": "viseme_FF", "TH": "viseme_TH",
        "T_L_D_N": "viseme_DD", "B_M_P": "viseme_PP", "K_G_H_NG": "viseme_kk", "AE": "viseme_E",
        "R": "viseme_RR",
    }  # fmt: skip
    check(["EE", "Er", *wanted], wanted)


def test_cc4_expressions() -> None:
    check(
        [
            *("Jaw_Open", "Mouth_Close", "Mouth_Press_L", "Mouth_Press_R", "V_Open", "V_Explosive"),
            *("Mouth_Funnel_Up_L", "Mouth_Pucker_Down_R", "Mouth_L", "Jaw_R", "Cheek_Raise_R"),
            *("Brow_Raise_Inner_L", "Brow_Drop_R", "Eye_L_Look_L", "Eye_R_Look_L", "Eye_R_Look_Up"),
            *("Mouth_Down_Lower_R", "Mouth_Roll_In_Upper_L", "V_Wide"),
        ],
        {
            "Jaw_Open": "jawOpen", "Mouth_Funnel_Up_L": "mouthFunnel",
            "Mouth_Pucker_Down_R": "mouthPucker", "Mouth_L": "mouthLeft", "Jaw_R": "jawRight",
            "Cheek_Raise_R": "cheekSquintRight", "Brow_Raise_Inner_L": "browInnerUp",
            "Brow_Drop_R": "browDownRight", "Eye_L_Look_L": "eyeLookOutLeft",
            "Eye_R_Look_L": "eyeLookInRight", "Eye_R_Look_Up": "eyeLookUpRight",
            "Mouth_Down_Lower_R": "mouthLowerDownRight", "Mouth_Roll_In_Upper_L": "mouthRollUpper",
        },
    )  # fmt: skip


@pytest.mark.parametrize("before", ["eCTRL", "Genesis8Female__eCTRL", "head__eCTRL", "facs_ctrl_"])
def test_daz_visemes(before: str) -> None:
    wanted = {
        "AA": "viseme_aa", "EH": "viseme_E", "IH": "viseme_ih", "OW": "viseme_oh",
        "UW": "viseme_ou", "M": "viseme_PP", "F": "viseme_FF", "TH": "viseme_TH", "T": "viseme_DD",
        "K": "viseme_kk", "S": "viseme_SS", "L": "viseme_nn", "ER": "viseme_RR", "SH": "viseme_CH",
    }  # fmt: skip
    named = {f"{before}v{sound}": curve for sound, curve in wanted.items()}
    check([*named, f"{before}vW", f"{before}vIY"], named)


def test_daz_visemes_spelled_out() -> None:
    keys = ["Viseme AA", "Viseme EH", "Viseme IY", "Viseme OW", "Viseme UW", "Viseme M", "Viseme F"]
    check(keys, {"Viseme EH": "viseme_E", "Viseme M": "viseme_PP", "Viseme OW": "viseme_oh"})
    oculus = [curve for curve in VISEME_CURVES if curve != "viseme_sil"]
    check(oculus, {curve: curve for curve in oculus})


def test_reallusions_arkit_set() -> None:
    check(
        ["A25_Jaw_Open", "A14_Eye_Blink_Left", "A01_Brow_Inner_Up", "A29_Mouth_Funnel"],
        {
            "A25_Jaw_Open": "jawOpen", "A14_Eye_Blink_Left": "eyeBlinkLeft",
            "A01_Brow_Inner_Up": "browInnerUp", "A29_Mouth_Funnel": "mouthFunnel",
        },
    )  # fmt: skip


def test_daz_expressions() -> None:
    check(
        ["eCTRLEyesClosedL", "eCTRLEyesClosedR", "eCTRLMouthOpen", "eCTRLBrowInnerUp-DownL"],
        {
            "eCTRLEyesClosedL": "eyeBlinkLeft", "eCTRLEyesClosedR": "eyeBlinkRight",
            "eCTRLMouthOpen": "jawOpen", "eCTRLBrowInnerUp-DownL": "browInnerUp",
        },
    )  # fmt: skip


@pytest.mark.parametrize("before", ["", "Genesis8_1Female__", "Genesis9__"])
def test_daz_facs(before: str) -> None:
    wanted = {
        "facs_jnt_JawOpen": "jawOpen", "facs_bs_MouthSmileLeft_div2": "mouthSmileLeft",
        "facs_bs_MouthFunnel_div2": "mouthFunnel", "facs_jnt_EyesWideRight": "eyeWideRight",
        "facs_jnt_EyeBlinkLeft": "eyeBlinkLeft", "facs_ctrl_EyeLookUpLeft": "eyeLookUpLeft",
        "facs_bs_MouthClose_div2": "mouthClose", "facs_ctrl_CheekPuff": "cheekPuff",
    }  # fmt: skip
    named = {before + key: curve for key, curve in wanted.items()}
    check(list(named), named)


def test_metahuman() -> None:
    wanted = {
        "jawOpen": "jawOpen", "jawFwd": "jawForward", "eyeBlinkR": "eyeBlinkRight",
        "mouthCornerPullL": "mouthSmileLeft", "mouthCornerDepressR": "mouthFrownRight",
        "mouthLipsPurseUL": "mouthPucker", "mouthFunnelDR": "mouthFunnel",
        "eyeLookLeftL": "eyeLookOutLeft", "eyeLookLeftR": "eyeLookInRight",
        "eyeLookRightR": "eyeLookOutRight", "eyeWidenR": "eyeWideRight",
        "mouthUpperLipRaiseR": "mouthUpperUpRight", "mouthPressDL": "mouthPressLeft",
        "noseWrinkleL": "noseSneerLeft", "eyeCheekRaiseR": "cheekSquintRight",
        "browRaiseOuterR": "browOuterUpRight", "mouthLipsTogetherUR": "mouthClose",
    }  # fmt: skip
    for before in ("CTRL_expressions_", "ctrl_expressions_"):
        named = {before + key: curve for key, curve in wanted.items()}
        check(list(named), named)
    meshes = {"head_lod0_mesh__jaw_open": "jawOpen", "head_lod0_mesh__eye_blink_L": "eyeBlinkLeft"}
    check(list(meshes), meshes)


def test_mb_lab_names_both_ends() -> None:
    keys = [
        *("Expressions_mouthOpen_max", "Expressions_mouthOpen_min", "Expressions_eyeClosedL_max"),
        *("Expressions_eyeClosedR_max", "Expressions_browOutVertL_max", "Expressions_eyesVert_max"),
        "Expressions_mouthSmile_max",
    ]
    check(keys, {
        "Expressions_mouthOpen_max": "jawOpen", "Expressions_eyeClosedL_max": "eyeBlinkLeft",
        "Expressions_browOutVertL_max": "browOuterUpLeft",
        "Expressions_mouthSmile_max": "mouthSmileLeft",
    })  # fmt: skip
    assert not {"Expressions_mouthOpen_min", "Expressions_eyesVert_max"} & set(first(keys))


def test_mmd_blinks_once() -> None:
    found = matches(["まばたき", "ウィンク", "ウィンク右", "あ", "い", "う", "え", "お"])
    lids = [m for m in found if m.curve.startswith("eyeBlink")]
    assert {m.key for m in lids} == {"まばたき"} and {m.gain for m in lids} == {0.5}
    assert {m.curve for m in found if m.key == "あ"} == {"viseme_aa"}
    winks = first(["ウィンク", "ウィンク右", "ウィンク２", "ｳｨﾝｸ２右"])
    assert winks == {"ウィンク２": "eyeBlinkLeft", "ｳｨﾝｸ２右": "eyeBlinkRight"}
    assert first(["ウィンク"]) == {"ウィンク": "eyeBlinkLeft"}


def test_preston_blair_speaks_all() -> None:
    keys = ["AI", "E", "O", "U", "etc", "FV", "L", "MBP", "WQ", "rest"]
    check(keys, {
        "AI": "viseme_aa", "O": "viseme_oh", "U": "viseme_ou", "FV": "viseme_FF",
        "L": "viseme_nn", "MBP": "viseme_PP", "rest": "viseme_sil",
    })  # fmt: skip
    assert {match.curve for match in matches(keys)} == set(VISEME_CURVES)


@pytest.mark.parametrize(("read", "scheme", "signs", "enough"), face_schemes.READINGS)
def test_schemes_know_all_visemes_that_they_name(
    read: object, scheme: face_schemes.Scheme, signs: frozenset[str], enough: int
) -> None:
    assert {f"viseme_{viseme}" for viseme in scheme.visemes} <= set(VISEME_CURVES)
    assert signs <= scheme.names and 0 < enough <= len(signs)


def test_odd_names_are_no_trouble() -> None:
    for keys in ([""], ["__"], ["V_"], ["_max", "Expressions__max"], ["a" * 500], ["\x00", "…"]):
        assert isinstance(matches(keys), list)
    assert matches([]) == []


@pytest.mark.parametrize("sign", ["Explosive", "Dental_Lip", "Affricate"])
def test_one_word_of_reallusions_tells_the_set(sign: str) -> None:
    check(["Open", sign, "Wide", "Eye_Wide_L"], {"Open": "viseme_aa", "Wide": "viseme_E",
                                                 "Eye_Wide_L": "eyeWideLeft"})  # fmt: skip
    assert first(["Open", "Wide"])["Wide"].startswith("eyeWide"), "nothing tells of a mouth"


@pytest.mark.parametrize("wrap", [
    "{}.001", "blendShape1.{}", "Head_blendShapes.{}", "face_bs.{}", "rig:faceShapes.{}.002",
    "Morpher.{}",
])  # fmt: skip
def test_what_exporters_put_around_names(wrap: str) -> None:
    arkit = [*BLENDSHAPES[:30], "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"]
    keys = [wrap.format(name) for name in dict.fromkeys(arkit)]
    check(keys, {wrap.format(name): name for name in arkit})
    letters = [wrap.format(f"Mouth_{letter}") for letter in RHUBARB]
    check(letters, {wrap.format(f"Mouth_{k}"): v for k, v in RHUBARB.items()})


def test_copies_beside_what_they_are_copies_of_do_not_move_twice() -> None:
    found = first(["jawOpen", "jawOpen.001", "a_bs.mouthFunnel", "b_bs.mouthFunnel"])
    assert found["jawOpen"] == "jawOpen" and "jawOpen.001" not in found
    assert "a_bs.mouthFunnel" not in found or "b_bs.mouthFunnel" not in found


MICROSOFT = {
    0: "viseme_sil", 2: "viseme_aa", 4: "viseme_E", 6: "viseme_ih", 7: "viseme_ou",
    8: "viseme_oh", 13: "viseme_RR", 15: "viseme_SS", 16: "viseme_CH", 17: "viseme_TH",
    18: "viseme_FF", 19: "viseme_DD", 20: "viseme_kk", 21: "viseme_PP",
}  # fmt: skip


@pytest.mark.parametrize("form", ["viseme_{}", "Viseme{:02}", "SP_VISEME_{}", "azure.viseme-id {}"])
def test_microsofts_numbers(form: str) -> None:
    keys = [form.format(number) for number in range(22)]
    check([*keys, "eyeBlinkLeft"], {form.format(n): curve for n, curve in MICROSOFT.items()})
    spoken = {match.curve for match in matches(keys)}
    assert spoken == set(VISEME_CURVES), "every sound"
    check(keys[1:], {form.format(21): "viseme_PP"})


@pytest.mark.parametrize("numbers", [range(15), range(1, 23), range(18, 22), range(40)])
def test_other_numbers_are_not_microsofts(numbers: range) -> None:
    assert not matches([f"viseme_{number}" for number in numbers])


@pytest.mark.parametrize("form", ["AU{}", "AU{:02}", "au_{}", "face_AU{}", "FACS.AU{}"])
def test_action_units(form: str) -> None:
    wanted = {
        1: "browInnerUp", 2: "browOuterUpLeft", 4: "browDownLeft", 5: "eyeWideLeft",
        6: "cheekSquintLeft", 9: "noseSneerLeft", 10: "mouthUpperUpLeft", 12: "mouthSmileLeft",
        15: "mouthFrownLeft", 16: "mouthLowerDownLeft", 18: "mouthPucker", 22: "mouthFunnel",
        26: "jawOpen", 45: "eyeBlinkLeft",
    }  # fmt: skip
    check([form.format(n) for n in wanted], {form.format(n): c for n, c in wanted.items()})


def test_action_units_with_sides_and_words() -> None:
    wanted = {
        "AU12_L": "mouthSmileLeft", "AU12R": "mouthSmileRight", "AU26_JawDrop": "jawOpen",
        "L_AU02": "browOuterUpLeft", "AU02_OuterBrowRaiser_R": "browOuterUpRight",
        "AU45_left": "eyeBlinkLeft", "AU 45 right": "eyeBlinkRight", "AU30_L": "jawLeft",
    }  # fmt: skip
    check(list(wanted), wanted)


def test_action_units_that_add_nothing() -> None:
    found = first(["AU26", "AU27", "AU43", "AU45", "AU25", "AU1+2", "AU6_12", "AU6_AU12", "beau26"])
    assert set(found) == {"AU26", "AU45"}
    assert first(["AU27"]) == {"AU27": "jawOpen"}
