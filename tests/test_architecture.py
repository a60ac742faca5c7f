"""ARCHITECTURE.md's import rules, read off the source: who may import whom."""

import ast
import functools
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


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


READERS = (
    "capture",
    "transforms_json",
    "natural_order",
    "name_pairing",
    "picture_header",
    "splat_arrays",
    "splat_ply",
    "splat_notes",
    "splat_moves",
    "points_ply",
    "tracks_file",
    "semantics_file",
    "words_lines",
    "click_lines",
    "motion_file",
    "words_file",
    "arkit",
    "declared_sizes",
    "gate",
    "json_file",
    "npz_file",
    "face_names",
    "face_schemes",
    "face_words",
    "footage_times",
    "head_file",
    "character_file",
    "face_bones",
    "gaussian_head_file",
    "live_link_csv",
    "mesh_sequence",
    "mesh_frames",
    "mesh_numbers",
    "vertex_animation",
    "splats.files",
    "splats.page_cameras",
    "splats.usd",
    "splats.web_page",
    "splats.webp",
)
VERB_FILES = {module_name(path) for path in sorted((ROOT / "backend").rglob("*_verb.py"))}
SHARED = {
    *("backend.protocol", "backend.verbs", "backend.geometry.arrays"),
    "backend.networks.registry",
    *("backend.geometry.sh_rotation", "backend.geometry.upright", "backend.geometry.heat_colors"),
    *("backend.runtime.atomic", "backend.runtime.folder", "backend.runtime.lock"),
    *("backend.runtime.links", "backend.runtime.own_environment"),
    *("backend.cutting.cells", "backend.cutting.clean_cut", "backend.cutting.filling"),
    *("backend.cutting.hierarchy", "backend.cutting.parts"),
}
ADDON_MAY = {*SHARED, *VERB_FILES} | {f"backend.formats.{name}" for name in READERS}
# From the ground up: what stands on a floor imports from its own and from lower ones. The longest
# name that fits a module counts; files of a root stand for themselves.
FLOORS: tuple[set[str], ...] = (
    {"backend", "backend.events", "backend.protocol", "backend.verb"},
    {"backend.runtime", "backend.geometry", "backend.formats", "backend.media", "backend.cutting"},
    {"backend.networks"},
    {"backend.gaussians"},
    {f"backend.{room}" for room in CAPABILITIES},
    {"backend.verbs"},
    {"backend.doctor", "backend.__main__"},
    {"addon.compute", "addon.preferences", "addon.blender_types"},
    {"addon.scene", "addon.jobs", "addon.words", "addon.properties"},
    {"addon.operators", "addon.ui"},
    {"addon"},
)


@functools.cache
def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@functools.cache
def imports(path: Path) -> set[str]:
    """Absolute names of everything that a file imports, wherever in it."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(p for p in (base, node.module or "") if p)
            found |= {f"{name}.{alias.name}" for alias in node.names} | {name}
    return found


@functools.cache
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
        "backend.formats",
        "backend.formats.splats",
        "backend.runtime",
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
    allowed = CAPABILITIES if room == "verbs.py" else {room} & CAPABILITIES
    assert used <= allowed


@functools.cache
def edges() -> dict[str, set[str]]:
    """Of every module of the project, the modules that it imports, wherever in it. A package counts
    where something of its own is taken, not where it only holds the module that is meant.
    """
    known = known_modules()
    graph = {}
    for name, path in known.items():
        used = {n for n in imports(path) if n in known} - {name}
        graph[name] = {
            n
            for n in used
            if known[n].name != "__init__.py" or not any(u.startswith(f"{n}.") for u in used)
        }
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """What can be reached from itself, grouped; a folder or file alone is no circle."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(graph.get(start, ()))
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += graph.get(name, ())
        return seen

    reached = {name: reach(name) for name in graph}
    groups = {
        tuple(sorted(m for m in reached[n] if n in reached.get(m, ())))
        for n in graph
        if n in reached[n]
    }
    return [list(group) for group in sorted(groups)]


def folder_of(name: str) -> str:
    """The folder of a module; a file of a root stands for itself, for roots hold ground and
    roof.
    """
    path = known_modules()[name]
    folder = ".".join(path.relative_to(ROOT).parent.parts)
    return name if folder in ("addon", "backend") else folder


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_no_circle_between_files() -> None:
    assert not circles(edges())


def test_no_circle_between_folders() -> None:
    known = known_modules()
    graph: dict[str, set[str]] = {}
    for name, used in edges().items():
        targets = {folder_of(n) for n in used if known[n].name != "__init__.py"}
        graph.setdefault(folder_of(name), set()).update(targets - {folder_of(name)})
    assert not circles(graph)


def floor_of(name: str) -> int:
    """The floor whose longest name fits."""
    fits = [
        (len(room), floor)
        for floor, rooms in enumerate(FLOORS)
        for room in rooms
        if name == room or name.startswith(f"{room}.")
    ]
    return max(fits)[1]


@pytest.mark.parametrize("name", sorted(known_modules()))
def test_arrows_go_down(name: str) -> None:
    known = known_modules()
    used = {n for n in imports(known[name]) if n in known and known[n].name != "__init__.py"}
    assert not {n for n in used if floor_of(n) > floor_of(name)}


@pytest.mark.parametrize("folder", ["addon/scene", "backend/cameras", "backend/dynamic_mesh"])
def test_rooms_hold_few_files_directly(folder: str) -> None:
    assert len(list((ROOT / folder).glob("*.py"))) <= 8


def test_every_verb_has_its_importer_and_its_work() -> None:
    from backend.verbs import VERBS

    text = (ROOT / "addon/scene/importers.py").read_text(encoding="utf-8")
    table = next(
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "IMPORTERS"
    )
    assert isinstance(table, ast.Dict)
    # for the command line: in Blender the viewport's own tools take splats out, and File > Export
    # writes any format
    only_there = {"select", "convert"}
    assert {ast.literal_eval(k) for k in table.keys if k} == set(VERBS) - only_there
    for verb in VERBS.values():
        annotations = verb.load().__annotations__
        assert annotations["job"].__args__ == (verb.options,), verb.name


@pytest.mark.parametrize("path", [*modules("addon"), *modules("backend")], ids=module_name)
def test_files_are_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module says in its first line what is in it"
    kernels = path.parent == ROOT / "backend/gaussians"
    assert kernels or text.count("\n") <= 300


@pytest.mark.process
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


# What opens a file by its name, and the files that may: the gates, and what reads our own
OPENERS = {
    r"Image\.open\(": {"backend/media/open_image.py"},
    r"np\.load\(|numpy\.load\(": set(),
    r"av\.open\((?!.*\"w\")": {
        "backend/media/open_media.py",
        "backend/media/video_parts.py",  # the parts that it has written
    },
    r"jit\.load\(": set(),
    r"torch\.load\(": set(),
    r"InferenceSession\(": {"backend/networks/onnx_model.py"},
    r"cv2\.imread\(|VideoCapture\(|cv2\.imdecode\(": {
        "backend/cameras/footage/images.py",
        "backend/semantics/regions/label_images.py",
    },
    r"\.read_bytes\(\)": {
        "backend/formats/splats/web_page.py",  # what it has just written, and its own viewer
        "backend/runtime/lock.py",
        "backend/gaussians/native/build.py",
        "backend/formats/splats/viewer/fetch.py",
    },
    r"json\.loads?\(": {
        "backend/formats/json_file.py",
        # lines and files that our own processes write
        *("backend/protocol.py", "backend/events.py", "backend/formats/words_lines.py"),
        "backend/formats/click_lines.py",
        *(
            "backend/runtime/cancel.py",
            "backend/runtime/checkpoint.py",
            "backend/runtime/folder.py",
            "backend/runtime/kept_work.py",
            "backend/runtime/committing.py",
            "backend/runtime/random_state.py",
        ),
        *("backend/doctor.py", "backend/formats/safetensors_header.py"),
        "backend/runtime/environment.py",
        *("backend/cameras/colmap/runner.py", "backend/cameras/colmap/colmap_command.py"),
        "backend/cameras/colmap/segments.py",
    },
}


@pytest.mark.parametrize("pattern", OPENERS)
def test_files_from_outside_come_through_the_gate(pattern: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in modules("backend")
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }
    assert users <= OPENERS[pattern]


def test_openers_are_noticed() -> None:
    for line in (
        "Image.open(p)",
        "np.load(p)",
        "av.open(str(p))",
        "json.loads(t)",
        "p.read_bytes()",
    ):
        assert any(re.search(pattern, line) for pattern in OPENERS)
    assert not re.search(r"av\.open\((?!.*\"w\")", 'av.open(str(path), "w")')
