"""Corrections of cameras and colours: nothing until they learn, and never a drift of the whole."""

import math

import pytest
import torch

from backend.splats.corrections import Corrections

VIEWMAT = torch.tensor(
    [[0, 1, 0, 1], [-1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]], dtype=torch.float32
)
IMAGE = torch.rand(4, 5, 3, generator=torch.Generator().manual_seed(0))


def test_only_what_is_asked_for_is_trained() -> None:
    for cameras, exposure in ((False, False), (True, False), (False, True), (True, True)):
        found = Corrections(3, cameras, exposure, 2.0, "cpu").named()
        assert found.keys() == {
            name for name, wanted in (("cameras", cameras), ("exposure", exposure)) if wanted
        }
        assert all(t.shape == (3, 6) and t.requires_grad and not t.any() for t in found.values())


def test_at_first_nothing_is_corrected() -> None:
    for wanted in (False, True):
        corrections = Corrections(3, wanted, wanted, 2.0, "cpu")
        torch.testing.assert_close(corrections.viewmat(VIEWMAT, 1), VIEWMAT)
        torch.testing.assert_close(corrections.color(IMAGE, 1), IMAGE)


def test_what_is_not_trained_is_handed_through() -> None:
    corrections = Corrections(2, False, False, 1.0, "cpu")
    corrections.cameras += torch.tensor([[1.0], [-1]])
    corrections.exposure += torch.tensor([[1.0], [-1]])
    assert corrections.viewmat(VIEWMAT, 0) is VIEWMAT and corrections.color(IMAGE, 0) is IMAGE


def test_a_camera_turns_and_shifts_in_its_own_axes() -> None:
    corrections = Corrections(2, True, False, 5.0, "cpu")
    with torch.no_grad():
        corrections.cameras[0] = torch.tensor([0, 0, math.pi / 2, 0.1, 0.2, -0.4])
        corrections.cameras[1] = -corrections.cameras[0]
    change = torch.tensor(
        [[0, -1, 0, 0.5], [1, 0, 0, 1], [0, 0, 1, -2], [0, 0, 0, 1]]
    )  # shifts are shares of the extent
    torch.testing.assert_close(corrections.viewmat(VIEWMAT, 0), change @ VIEWMAT, atol=1e-5, rtol=0)


def test_a_picture_has_a_gain_and_an_offset_a_channel() -> None:
    corrections = Corrections(2, False, True, 1.0, "cpu")
    with torch.no_grad():
        corrections.exposure[0] = torch.tensor([math.log(2), 0, -math.log(4), 0.1, -0.2, 0])
        corrections.exposure[1] = -corrections.exposure[0]
    wanted = IMAGE * torch.tensor([2, 1, 0.25]) + torch.tensor([0.1, -0.2, 0])
    torch.testing.assert_close(corrections.color(IMAGE, 0), wanted)


@pytest.mark.parametrize("shift", [0.5, -2.0])
def test_what_all_have_in_common_is_no_correction(shift: float) -> None:
    corrections = Corrections(3, True, True, 2.0, "cpu")
    with torch.no_grad():
        corrections.cameras[1, 3], corrections.exposure[1, 0] = 0.3, 0.3
        before = corrections.viewmat(VIEWMAT, 1), corrections.color(IMAGE, 1)
        corrections.cameras += shift
        corrections.exposure += shift
        after = corrections.viewmat(VIEWMAT, 1), corrections.color(IMAGE, 1)
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
    assert not torch.equal(before[0], VIEWMAT) and not torch.equal(before[1], IMAGE)
