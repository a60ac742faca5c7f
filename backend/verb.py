"""What a verb is: one record that the command line, the job and the add-on read.

A verb's module holds its options, its presets and its `Verb`, and imports nothing but the standard
library: the add-on reads it inside Blender. The work lies elsewhere, where `run` points.
"""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .protocol import Preset, check_options

OptionsT = TypeVar("OptionsT")
Bound = float | None


def option(
    default: Any,
    text: str,
    low: Bound = None,
    high: Bound = None,
    *,
    auto: Mapping[str, str] | None = None,
) -> Any:
    """A dataclass field that carries its help and its bounds.

    auto: where the default means Auto, which column of the presets fills it in. The keys say when
        ("" always; "free mode"), the values are fields of the preset's row.
    """
    metadata = {"help": text, "low": low, "high": high, "auto": auto or {}}
    return field(default=default, metadata=metadata)


def _nothing(_options: Any) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Verb(Generic[OptionsT]):
    """A thing that the backend can do."""

    name: str
    title: str  # for the interface, in Blender's capitalisation
    options: type[OptionsT]
    help: str  # a line, lower case, without a full stop
    description: str  # what --input and --output are
    example: str
    run: str  # "room.module": its function `run` takes a Job[OptionsT] and returns an Outcome
    # whether it asks for a device; the others never do, and asking takes seconds
    computes: bool = False
    reads_input: bool = True  # not where --input is the folder that something is put into
    presets: Mapping[Preset, Any] = field(default_factory=dict)  # a row of numbers each
    estimates: Mapping[Preset, str] = field(default_factory=dict)  # time on two cores
    # --output may name a file that ends so, which the option `to` then names
    file_ends: tuple[str, ...] = ()
    # what it downloads with such options, for people; empty for nothing
    fetches: Callable[[OptionsT], str] = _nothing

    def load(self) -> Callable[[Any], Any]:
        """The function that does the work, imported only now: with it come the packages."""
        module = importlib.import_module(f".{self.run}", __package__)
        return module.run  # type: ignore[no-any-return]

    def make_options(self, values: dict[str, Any]) -> OptionsT:
        """The options from plain values, every one checked. Raises InputError."""
        return check_options(self.name, self.options, values)

    def option_help(self, name: str) -> str:
        """The option's help, with what the presets make of Auto."""
        metadata = {f.name: f for f in dataclasses.fields(self.options)}[name]  # type: ignore[arg-type]
        text: str = metadata.metadata["help"]
        clauses = []
        for when, column in metadata.metadata["auto"].items():
            values = ", ".join(
                f"{getattr(row, column)} {preset}" for preset, row in self.presets.items()
            )
            clauses.append(f"{when} {values}".strip())
        return f"{text} ({metadata.default}: {'; '.join(clauses)})" if clauses else text

    def preset_help(self) -> str:
        """How much time the presets take."""
        times = ", ".join(f"{preset}: {time}" for preset, time in self.estimates.items())
        return f"how much time to spend{f' (on two cores: {times})' if times else ''}"
