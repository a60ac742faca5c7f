"""Prompts and how well things fit them."""

import numpy as np

from backend.semantics.teachers.relevancy import NEGATIVES, centered, parse, phrases, relevancy


def test_prompts_are_parsed_as_people_write_them() -> None:
    found = parse(" lamp, lantern ; chair -stool, bench;; t-shirt")
    assert [p.words for p in found] == [("lamp", "lantern"), ("chair",), ("t-shirt",)]
    assert found[1].negatives == ("stool", "bench")
    assert parse("  ;, ") == [] and [p.words for p in parse("灯，灯笼；椅子")] == [
        ("灯", "灯笼"),
        ("椅子",),
    ]
    assert phrases(["lamp"]) == [["a photo of a lamp", "a lamp", "lamp"]]


def test_relevancy_is_that_of_the_field() -> None:
    """The least over the negatives of exp(10 p) / (exp(10 p) + exp(10 n))."""
    random = np.random.default_rng(0)
    unit = [
        x / np.linalg.norm(x, axis=1, keepdims=True)
        for x in (random.normal(size=(n, 32)) for n in (50, 2, len(NEGATIVES)))
    ]
    features, words, negatives = (u.astype(np.float32) for u in unit)
    p, n = np.exp(10 * (features @ words.T).max(1)), np.exp(10 * features @ negatives.T)
    np.testing.assert_allclose(
        relevancy(features, words, negatives), (p[:, None] / (p[:, None] + n)).min(1), rtol=1e-5
    )
    assert np.allclose(np.linalg.norm(centered(features, features.mean(0)), axis=1), 1, atol=1e-5)
