"""Prompts and how well things fit them."""

import numpy as np

from backend.semantics.teachers.nouns import NOUNS
from backend.semantics.teachers.relevancy import (
    NEGATIVES,
    against_nouns,
    among_things,
    centered,
    parse,
    phrases,
    relevancy,
)


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


def _unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def test_a_noun_counts_for_what_it_says_beyond_the_word() -> None:
    """A chair: "seat", near to "chair", is no worse for it; "stool", apart from it, is refused."""
    chair, other = np.eye(8, dtype=np.float32)[:2]
    seat, stool = _unit(np.array([0.9 * chair + 0.4 * other, 0.3 * chair + other]))
    thing, nouns = chair[None], np.stack([chair, np.eye(8, dtype=np.float32)[5]])
    assert against_nouns(thing, chair[None], nouns)[0] > 3
    assert against_nouns(thing, seat[None], nouns)[0] > 3
    assert against_nouns(thing, stool[None], nouns)[0] < -3


def test_what_is_near_to_everything_does_not_stand_out() -> None:
    """Twenty things and two hundred nouns, all at chance, and one thing that all words are near to;
    then the tenth thing is what is asked for.
    """
    random = np.random.default_rng(0)
    things, nouns = _unit(random.normal(size=(20, 64))), _unit(random.normal(size=(200, 64)) + 0.2)
    things[3] = _unit(np.ones((1, 64)))[0]
    word = _unit(random.normal(size=(1, 64)) + 0.2)
    assert (among_things(things, word, nouns) < 0).mean() > 0.9
    word = _unit(word + 2 * things[10:11])
    assert among_things(things, word, nouns).argmax() == 10
    assert among_things(things, word, nouns)[10] > 2


def test_the_nouns_are_words_and_each_is_there_once() -> None:
    assert 150 <= len(NOUNS) == len(set(NOUNS)) <= 300
    assert all(noun.isalpha() and noun.islower() for noun in NOUNS)
