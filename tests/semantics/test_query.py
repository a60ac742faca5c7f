"""Prompts against objects whose features are known."""

import time
from collections.abc import Sequence

import numpy as np
from helpers.furnished_room import CLASSES
from helpers.teacher_simulator import text_features

from backend.formats.semantics_file import NOTHING, Semantics
from backend.semantics.query import ask
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
