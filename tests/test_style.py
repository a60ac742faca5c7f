"""Habits of the house that no linter knows."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(p for room in ("addon", "backend") for p in (ROOT / room).rglob("*.py"))
MANY = 4  # fields that may be told apart by their places


def large_positional(source: str) -> list[str]:
    """Names of dataclasses of more than MANY fields that can be made by position."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            decorators = [ast.unparse(d) for d in node.decorator_list]
            fields = [
                n
                for n in node.body
                if isinstance(n, ast.AnnAssign) and "ClassVar" not in ast.unparse(n.annotation)
            ]
            made = [d for d in decorators if d.split("(")[0].endswith("dataclass")]
            if made and len(fields) > MANY and "kw_only=True" not in made[0]:
                found.append(node.name)
    return found


def test_large_dataclasses_are_noticed() -> None:
    fields = "\n".join(f"    f{i}: int" for i in range(5))
    assert large_positional(f"@dataclass(frozen=True)\nclass A:\n{fields}") == ["A"]
    assert not large_positional(f"@dataclass(kw_only=True)\nclass A:\n{fields}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_large_dataclasses_are_made_by_name(path: Path) -> None:
    assert not large_positional(path.read_text(encoding="utf-8"))
