"""Public functions say what they are for; those of arrays say what shapes they take and give."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(p for room in ("addon", "backend") for p in (ROOT / room).rglob("*.py"))
# what Blender calls: its manual says what they are for, and the class says what this one does
BLENDERS = {
    *("draw", "draw_header", "draw_header_preset", "poll", "execute", "invoke", "modal", "cancel"),
    *("register", "unregister", "description", "draw_item", "check", "filter_items"),
}
SHAPE = re.compile(r"\([^()]*\b([A-Z]|\d|m|n|k|b|…)\b,?[^()]*\)")
ARRAY = re.compile(r"\b(Tensor|NDArray|Floats|Ints|Pixels|Doubles|Gray|Shares|Features|Points)\b")
DOCUMENTED, SHAPED = 0.95, 0.55


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Of the module and of its public classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from (
                n
                for n in node.body
                if isinstance(n, ast.FunctionDef)
                and not n.name.startswith("_")
                and n.name not in BLENDERS
            )


def all_functions() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (str(path.relative_to(ROOT)), function)
        for path in FILES
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8")))
        if function.name not in BLENDERS
    ]


def signature(function: ast.FunctionDef) -> str:
    """Annotations of what goes in and comes out."""
    given = [a.annotation for a in (*function.args.args, *function.args.kwonlyargs)]
    return " ".join(ast.unparse(a) for a in (*given, function.returns) if a is not None)


def test_public_functions_are_documented() -> None:
    functions = all_functions()
    missing = [f"{file}: {f.name}" for file, f in functions if not ast.get_docstring(f)]
    share = 1 - len(missing) / len(functions)
    assert share >= DOCUMENTED, f"{share:.1%} of {len(functions)}; without:\n" + "\n".join(missing)


def test_functions_of_arrays_tell_their_shapes() -> None:
    arrays = [(file, f) for file, f in all_functions() if ARRAY.search(signature(f))]
    missing = [
        f"{file}: {f.name}" for file, f in arrays if not SHAPE.search(ast.get_docstring(f) or "")
    ]
    share = 1 - len(missing) / len(arrays)
    assert share >= SHAPED, f"{share:.1%} of {len(arrays)}; without:\n" + "\n".join(missing)
