"""The front door: short, in order, and nothing in it that the code does not say too."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from backend.gaussians.native import build
from backend.protocol import VERSION
from backend.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def script(name: str) -> ModuleType:
    """A program of docs/, without starting a process."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_is_for_a_first_visit() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 800
    assert "make demo" in text and "make test" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_the_command_line_page_is_what_the_verbs_say() -> None:
    make = script("make_command_line")
    text = (ROOT / "docs/command_line.md").read_text(encoding="utf-8")
    for verb in VERBS.values():
        assert make.section(verb) in text, f"{verb.name} has changed: make docs"


def test_code_in_the_manual_is_right() -> None:
    assert script("check_fences").main() == 0


def test_a_wrong_command_is_noticed() -> None:
    wrong = script("check_fences").wrong_command
    assert wrong("python -m backend splats --input a --output b --stepps 3")
    assert not wrong("python -m backend splats --input a --output b --steps 3  # few")


def test_there_is_one_version() -> None:
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["version"] == VERSION == build.VERSION
