"""DESIGN.md's import rules, read off the source: who may import whom."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLENDER = {
    "bpy",
    "bmesh",
    "mathutils",
    "gpu",
    "bl_math",
    "bpy_extras",
    "aud",
    "addon_utils",
    "blf",
    "imbuf",
}
CAPABILITIES = {"cameras", "splats", "semantics", "talking_head", "dynamic_mesh"}
READERS = (
    "capture",
    "splat_ply",
    "points_ply",
    "tracks_file",
    "semantics_file",
    "words_lines",
    "motion_file",
    "arkit",
    "face_names",
    "head_file",
    "gaussian_head_file",
    "live_link_csv",
    "mesh_sequence",
    "mesh_frames",
    "vertex_animation",
)
ADDON_MAY = {"backend.protocol"} | {f"backend.formats.{name}" for name in READERS}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Absolute names of everything that a file imports, wherever in it."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(p for p in (base, node.module or "") if p)
            found |= {f"{name}.{alias.name}" for alias in node.names} | {name}
    return found


def known_modules() -> dict[str, Path]:
    return {module_name(p): p for folder in ("addon", "backend") for p in modules(folder)}


def reachable(start: str) -> set[str]:
    """Every project module and outside package that importing `start` can bring in."""
    known, seen, todo = known_modules(), set(), [start]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in known:
            parents = [name.rsplit(".", k)[0] for k in range(1, name.count(".") + 1)]
            todo += [*imports(known[name]), *parents]
    return seen


@pytest.mark.parametrize("path", modules("backend"), ids=module_name)
def test_backend_never_imports_blender(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & (BLENDER | {"addon"})


def test_protocol_is_standard_library_only() -> None:
    outside = {name.split(".")[0] for name in reachable("backend.protocol")} - {"backend"}
    assert outside <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", modules("addon"), ids=module_name)
def test_addon_uses_only_the_boundary(path: Path) -> None:
    known = known_modules()
    used = {name for name in imports(path) if name in known and name.startswith("backend.")} - {
        "backend.formats"
    }
    assert used <= ADDON_MAY


@pytest.mark.parametrize("start", sorted(ADDON_MAY))
def test_no_torch_reachable_from_the_addon(start: str) -> None:
    heavy = {"torch", "scipy", "pycolmap", "av", "safetensors", "gsplat"}
    assert not {name.split(".")[0] for name in reachable(start)} & heavy


@pytest.mark.parametrize("path", modules("backend"), ids=module_name)
def test_capability_rooms_do_not_import_each_other(path: Path) -> None:
    room = path.relative_to(ROOT / "backend").parts[0]
    used = {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("backend.") and name.count(".")
    } & CAPABILITIES
    assert used <= ({room} if room in CAPABILITIES else set())


@pytest.mark.parametrize("path", [*modules("addon"), *modules("backend")], ids=module_name)
def test_files_are_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module says in its first line what is in it"
    assert text.count("\n") <= 400


def test_no_machine_paths_or_pickles() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in listed:
        if (
            name.endswith((".py", ".md", ".toml", ".txt", "Makefile"))
            and "tests/test_architecture" not in name
        ):
            text = (ROOT / name).read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])/(work|root|opt/pypi)/", text), name
            reader = (
                name == "backend/talking_head/rigs/flame_file.py"
            )  # reads FLAME's, and lets it name nothing but arrays
            assert (
                reader
                or name.startswith("tests/")
                or not re.search(
                    r"^\s*(import|from) pickle|torch\.load\((?!.*weights_only=True)", text, re.M
                )
            ), name
