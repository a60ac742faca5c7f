"""A process that stays warm and answers prompts: the first question loads the model, the next take
milliseconds.

Bounded: it keeps one model, two scenes, some words; words_loop.py says when it ends.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..formats import semantics_file
from ..formats.semantics_file import Semantics
from ..formats.words_lines import Question, Scores
from ..geometry.arrays import Floats, Ints32
from ..protocol import InputError, SplatsmithError
from ..runtime.device import choose_device
from ..runtime.explain import explain
from .query import MOST_WORDS, ask, prompts_of, teacher_of
from .teachers.loading import load
from .teachers.teacher import Teacher


@dataclass(frozen=True)
class ServiceConfig:
    """Bounds."""

    scenes: int = 2
    words: int = MOST_WORDS  # that are kept


@dataclass
class CachedTeacher:
    """A teacher that encodes a word once."""

    teacher: Teacher
    most: int
    known: OrderedDict[str, Floats] = field(default_factory=OrderedDict)

    @property
    def name(self) -> str:
        """The teacher's own."""
        return self.teacher.name

    @property
    def dimensions(self) -> int:
        """D, the length of a feature."""
        return self.teacher.dimensions

    def encode_regions(self, image: np.ndarray, regions: Ints32, count: int) -> Floats:
        """(R, D) of a picture's regions, by the teacher itself."""
        return self.teacher.encode_regions(image, regions, count)

    def encode_text(self, words: Sequence[str]) -> Floats:
        """(W, D) of the words; those asked for before are remembered."""
        new = [w for w in dict.fromkeys(words) if w not in self.known]
        encoded = dict(zip(new, self.teacher.encode_text(new), strict=True))
        vectors = np.array(
            [encoded[w] if w in encoded else self.known[w] for w in words], np.float32
        )
        self.known.update(encoded)
        while len(self.known) > self.most:
            self.known.popitem(last=False)
        return vectors.reshape(len(words), self.dimensions)


class WordsService:
    """What it has loaded, and how it answers."""

    def __init__(
        self,
        config: ServiceConfig = ServiceConfig(),
        load_model: Callable[[str], Teacher] | None = None,
    ) -> None:
        self.config = config
        self._load = load_model or (
            lambda model: load(model, torch.device(choose_device("auto")[0]))
        )
        self._teacher: tuple[str, CachedTeacher] | None = None
        self._scenes: OrderedDict[tuple[str, int], Semantics] = OrderedDict()

    def answer(self, question: Question) -> Scores:
        """Never raises for a bad question: the answer says what is wrong."""
        try:
            prompts = prompts_of(question.prompt)
            scene = self._scene(Path(question.folder))
            teacher = teacher_of(scene, question.model, self._model)
            relevance = ask(scene, teacher, prompts)
        except Exception as error:  # noqa: BLE001 - the process's boundary, as a job's is
            known = explain(error)
            is_unforeseen = known.code == SplatsmithError.code
            advice = "Try other words." if is_unforeseen else known.advice
            return Scores(id=question.id, error=known.what, advice=advice)
        rows = [[round(float(s), 5) for s in row] for row in relevance.objects]
        return Scores(id=question.id, prompts=[", ".join(p.words) for p in prompts], objects=rows)

    def _scene(self, folder: Path) -> Semantics:
        path = folder / semantics_file.NAME
        if not path.is_file():
            raise InputError(f"{folder.name} is no segmentation.", "Run Segment first.")
        key = (
            str(path),
            path.stat().st_mtime_ns,
        )  # a new segmentation in the same place is another scene
        if key not in self._scenes:
            self._scenes[key] = semantics_file.read(path)
        self._scenes.move_to_end(key)
        while len(self._scenes) > self.config.scenes:
            self._scenes.popitem(last=False)
        return self._scenes[key]

    def _model(self, model: str) -> Teacher:
        if self._teacher is None or self._teacher[0] != model:
            self._teacher = None  # the old one goes before the new one comes
            self._teacher = (model, CachedTeacher(self._load(model), self.config.words))
        return self._teacher[1]
