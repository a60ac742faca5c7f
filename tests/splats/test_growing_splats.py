"""What is shown while splats train: those that show most, plain."""

import numpy as np
import pytest
from helpers.random_splats import make

from backend.splats import growing_splats
from backend.splats.growing_splats import glimpse


def test_what_shows_most_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_splats, "MOST", 5)
    arrays = make(20)
    arrays.opacity_logits[:] = -6
    arrays.opacity_logits[[3, 8, 9]] = 6
    arrays.log_scales[:] = -4
    arrays.log_scales[[1, 15], :2] = 2
    seen = glimpse(arrays)
    assert seen.extra["label"].tolist() == [1, 3, 8, 9, 15]
    assert seen.sh.shape == (5, 1, 3)


def test_few_are_all_shown() -> None:
    arrays = make(7)
    first = arrays.sh[:, :1].copy()
    seen = glimpse(arrays)
    assert len(seen) == 7
    np.testing.assert_array_equal(seen.sh, first)
