"""Prompts against objects whose features are known."""

import time
from collections.abc import Sequence

import numpy as np
from helpers.clip_geometry import GeometryTeacher
from helpers.furnished_room import CLASSES
from helpers.teacher_simulator import text_features

from backend.formats.semantics_file import NOTHING, Semantics
from backend.semantics.query import ask
from backend.semantics.teachers.nouns import NOUNS
from backend.semantics.teachers.relevancy import parse


class Simulated:
    """Words from the simulator's dictionary; others lie anywhere in the words' cone."""

    name, dimensions = "simulated", 512

    def __init__(self) -> None:
        self.known = dict(zip(CLASSES, text_features(), strict=True))

    def encode_regions(self, image: np.ndarray, regions: np.ndarray, count: int) -> np.ndarray:
        raise NotImplementedError

    def encode_text(self, words: Sequence[str]) -> np.ndarray:
        common = sum(self.known.values()) / len(self.known)
        found = []
        for word in words:
            random = np.random.default_rng(sum(word.encode()))
            other = common + 0.02 * random.normal(size=512)
            found.append(self.known.get(word, other / np.linalg.norm(other)))
        return np.array(found, np.float32)


def scene(splats: int = 1000) -> Semantics:
    """An object of every class; splat i is of object i modulo their number, half of every tenth of
    the one after it.
    """
    random, text = np.random.default_rng(0), text_features()
    gap = random.normal(size=512) / 512**0.5
    features = (
        0.8 * gap
        + 0.45 * (text - text.mean(0))
        + 0.25 * text.mean(0)
        + 0.1 * random.normal(size=text.shape) / 512**0.5
    )
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    objects = np.full((splats, 3), NOTHING, np.uint16)
    objects[:, 0] = np.arange(splats) % len(CLASSES)
    objects[::10, 1] = (objects[::10, 0] + 1) % len(CLASSES)
    shares = np.zeros((splats, 3), np.uint8)
    shares[:, 0] = 255
    shares[::10, 0], shares[::10, 1] = 128, 127
    return Semantics(
        objects=objects,
        shares=shares,
        features=features.astype(np.float32),
        mean=features.mean(0).astype(np.float32),
        model="simulated",
    )


def test_every_class_is_found_by_its_name() -> None:
    semantics, teacher = scene(), Simulated()
    for number, name in enumerate(CLASSES):
        scores = ask(semantics, teacher, parse(f"{name}; {CLASSES[number - 1]}")).objects
        assert (
            scores.shape == (2, len(CLASSES))
            and scores[0].argmax() == number
            and scores[0, number] > 0.5
        )


def test_splats_of_what_fits_are_chosen_and_edges_are_soft() -> None:
    semantics = scene()
    answer = ask(semantics, Simulated(), parse("lamp, cactus; bed"))
    wanted = [CLASSES.index(n) for n in ("lamp", "cactus", "bed")]
    whole = semantics.shares[:, 0] == 255
    assert (answer.chosen(0.5)[whole] == np.isin(semantics.objects[whole, 0], wanted)).mean() > 0.9
    halves = ~whole & (np.isin(semantics.objects[:, :2], wanted).sum(1) == 1)
    least, most = answer.objects.max(0).min(), answer.objects.max(0).max()
    assert halves.any() and ((answer.splats[halves] > least) & (answer.splats[halves] < most)).all()


def test_what_is_not_meant_counts_against() -> None:
    semantics, teacher = scene(), Simulated()
    stool = CLASSES.index("stool")
    plain, without = (
        ask(semantics, teacher, parse(p)).objects[0, stool] for p in ("chair", "chair -stool")
    )
    assert without < plain
    assert ask(semantics, teacher, []).objects.shape == (0, len(CLASSES))


def test_a_million_splats_are_scored_in_milliseconds() -> None:
    semantics, teacher = scene(1_000_000), Simulated()
    ask(semantics, teacher, parse("chair"))
    start = time.process_time()
    ask(semantics, teacher, parse("chair")).chosen(0.5)
    assert time.process_time() - start < 2.0, (
        "the bar of 0.15 s is measured by the benchmark, on a quiet machine"
    )
    many = ask(scene(), teacher, parse(";".join(f"word {i}" for i in range(200))))
    assert many.objects.shape[0] == 200 and np.isfinite(many.splats).all()


def test_words_can_say_no_in_a_harder_geometry() -> None:
    """At the default threshold, on scenes that nothing was chosen on. Half of the names are common
    nouns, half are words that no list holds.
    """
    ious: list[float] = []
    said_no: list[bool] = []
    for seed in (3, 4, 5):
        teacher, random = GeometryTeacher(seed), np.random.default_rng(100 + seed)
        pool = [*random.choice(NOUNS, 60, replace=False), *(f"odd {k}" for k in range(60))]
        names = [str(n) for n in random.choice(pool, 14, replace=False)]
        absent = [n for n in pool if n not in names]
        semantics = teacher.scene(names, seed)
        there = ask(semantics, teacher, parse("; ".join(names)))
        chosen = there.objects >= 0.5
        ious += [chosen[k, k] / max(chosen[k].sum(), 1) for k in range(len(names))]
        gone = ask(semantics, teacher, parse("; ".join(absent))).objects
        said_no += [bool(row.all()) for row in gone < 0.5]
        assert there.nearest(1)[0][1] >= 0.5 and len(there.nearest()) == 3
    assert np.mean(ious) >= 0.6 and np.mean(said_no) >= 0.9


def test_objects_that_no_picture_showed_fit_nothing() -> None:
    semantics = scene()
    semantics.features[0] = 0
    assert ask(semantics, Simulated(), parse(CLASSES[0])).objects[0, 0] == 0
    semantics.features[:] = 0
    assert not ask(semantics, Simulated(), parse("lamp")).objects.any()
