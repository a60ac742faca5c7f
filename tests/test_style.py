"""Habits of the house that no linter knows."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(p for room in ("addon", "backend") for p in (ROOT / room).rglob("*.py"))
CATCH_ALL = "found"  # says nothing of what it stands for
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


def shared_names(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Public classes that several of the files (name, source) define, and which do."""
    files = defaultdict(list)
    for name, source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files[node.name].append(name)
    return {name: where for name, where in files.items() if len(where) > 1}


def test_a_shared_name_is_noticed() -> None:
    sources = [("a.py", "class View: ..."), ("b.py", "def f():\n    class View: ...")]
    assert shared_names(sources) == {"View": ["a.py", "b.py"]}
    assert not shared_names([("a.py", "class _View: ..."), ("b.py", "class _View: ...")])


def test_no_two_public_classes_share_a_name() -> None:
    assert not shared_names(
        (str(p.relative_to(ROOT)), p.read_text(encoding="utf-8")) for p in FILES
    )


def catch_alls(source: str) -> list[int]:
    """Lines that bind CATCH_ALL: a variable, an attribute, an argument, an error, an import."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Name(id=bound, ctx=ast.Store())
                | ast.Attribute(attr=bound, ctx=ast.Store())
                | ast.arg(arg=bound)
                | ast.ExceptHandler(name=bound)
                | ast.MatchAs(name=bound)
                | ast.MatchStar(name=bound)
                | ast.alias(asname=bound)
            ) if bound == CATCH_ALL:
                lines.append(node.lineno)
    return lines


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "found: int = 1",
        "a, (found, *b) = c",
        "self.found = 1",
        "if found := f(): ...",
        "for found in a: ...",
        "with a as found: ...",
        "[found for found in a]",
        "def f(found): ...",
        "lambda found: 1",
        "try: ...\nexcept E as found: ...",
        "import a as found",
        "match a:\n    case found: ...",
        "match a:\n    case [*found]: ...",
    ],
)
def test_a_catch_all_is_noticed(source: str) -> None:
    assert catch_alls(source)


def test_prose_is_no_catch_all() -> None:
    assert not catch_alls('"""What was found."""\nmasks = find("found")  # found by words')


WALL_CLOCKS = ("time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today")


def wall_clocks(source: str) -> list[int]:
    """Lines that ask what time it is, to be measured with: such a clock jumps."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if ast.unparse(call.func).endswith(WALL_CLOCKS)]


def test_wall_clocks_are_noticed() -> None:
    assert wall_clocks("import time, datetime\na = time.time()\nb = datetime.datetime.now()") == [
        2,
        3,
    ]
    assert not wall_clocks("import time\na = time.monotonic()\nb = time.strftime('%Y')")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_waits_by_a_clock_that_jumps(path: Path) -> None:
    assert not wall_clocks(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_called_found(path: Path) -> None:
    assert not catch_alls(path.read_text(encoding="utf-8"))
