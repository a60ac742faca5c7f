"""Writes docs/command_line.md from the verbs: `make docs`."""

import dataclasses
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from backend.verb import Verb  # noqa: E402
from backend.verbs import VERBS  # noqa: E402

HEAD = """# Command line
Everything that the add-on does, without Blender. In a checkout:
```
python -m backend doctor
```
Installed with pip (`make wheel`), the same is called `splatsmith`. `--help` on each verb tells what
stands here. Every verb takes `--input`, `--output`, `--preset`, `--device` and `--seed`; the same
command again goes on from where a run was stopped. Equal seeds give equal files on the CPU, on any
number of its cores.

| verb | what it does |
|---|---|
"""


def value(field: dataclasses.Field[Any]) -> str:
    """What may be given, in a few characters."""
    if get_origin(field.type) is Literal:
        return ", ".join(map(str, get_args(field.type)))
    low, high = field.metadata["low"], field.metadata["high"]
    name = {int: "whole number", float: "number", bool: "yes or no", str: "text"}
    bounds = "" if low is None else f" from {low:g}" + ("" if high is None else f" to {high:g}")
    return name.get(field.type, "text") + bounds  # type: ignore[arg-type]


def cell(text: str) -> str:
    """Fit for a table of Markdown."""
    return text.replace("|", "\\|").replace("\n", " ")


def section(verb: Verb[Any]) -> str:
    """One verb."""
    text = f"## {verb.name}\n{verb.help[0].upper()}{verb.help[1:]}.\n\n{verb.description}\n\n"
    text += f"```\n{verb.example}\n```\n\n"
    if verb.estimates:
        times = "; ".join(f"{preset} {time}" for preset, time in verb.estimates.items())
        text += f"Time on two cores: {times}.\n\n"
    text += "| option | value | default | meaning |\n|---|---|---|---|\n"
    for field in dataclasses.fields(verb.options):
        flag = f"`--{field.name.replace('_', '-')}`"
        default = "" if field.default == "" else str(field.default)
        help_text = cell(verb.option_help(field.name))
        text += f"| {flag} | {value(field)} | {default} | {help_text} |\n"
    return text + "\n"


def main() -> None:
    """Writes the page."""
    rows = "".join(f"| [{v.name}](#{v.name}) | {cell(v.help)} |\n" for v in VERBS.values())
    body = "".join(section(verb) for verb in VERBS.values())
    (HERE / "command_line.md").write_text(f"{HEAD}{rows}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
