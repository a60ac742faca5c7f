"""A gain and an offset that one half of a picture teaches the other."""

import torch

from backend.splats.exposed_alike import exposed_alike


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    image = torch.rand(20, 30, 3, generator=torch.Generator().manual_seed(0))
    return image, image * torch.tensor([0.7, 0.8, 0.9]) + 0.05


def test_gain_and_offset_are_taken_back() -> None:
    image, target = pictures()
    torch.testing.assert_close(exposed_alike(image, target), target, atol=1e-5, rtol=0)


def test_no_half_learns_from_itself() -> None:
    image, target = pictures()
    target[:, :15] = 0.5  # nothing that the right half could teach
    alike = exposed_alike(image, target)
    assert (alike[:, :15] - target[:, :15]).abs().mean() > 0.1
    torch.testing.assert_close(alike[:, 15:], torch.full_like(alike[:, 15:], 0.5))


def test_what_does_not_count_teaches_nothing() -> None:
    image, target = pictures()
    counts = torch.ones(20, 30, dtype=torch.bool)
    target[:10], counts[:10] = 1.0, False
    alike = exposed_alike(image, target, counts)
    torch.testing.assert_close(alike[10:], target[10:], atol=1e-5, rtol=0)


def test_too_few_pixels_leave_the_picture_as_it_is() -> None:
    image, target = pictures()
    none = torch.zeros(20, 30, dtype=torch.bool)
    torch.testing.assert_close(exposed_alike(image, target, none), image)


def test_values_stay_in_their_range() -> None:
    image, target = pictures()
    alike = exposed_alike(image, 3 * target - 1)
    assert float(alike.min()) == 0 and float(alike.max()) == 1
