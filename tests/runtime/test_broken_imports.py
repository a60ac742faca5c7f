"""Packages that are there and raise when they are imported: SETUP or MEMORY, never INTERNAL, and
`doctor` says the same of each.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_line import backend, start
from helpers.places import ROOT
from helpers.workers import make_job

from backend import protocol
from backend.formats.words_lines import Question, decode_scores, encode_words
from backend.runtime.broken_imports import ran_out_of_memory
from backend.runtime.explain import explain
from backend.semantics.words_loop import load_answer

NUMPY_ABI = "numpy.dtype size changed, may indicate binary incompatibility"
TLS = "libgomp.so.1: cannot allocate memory in static TLS block"
MAP = "libtorch_cpu.so: failed to map segment: Cannot allocate memory"
SETUP = {
    "a missing library": "raise OSError('libtorch_cpu.so: cannot open shared object file')",
    "a numpy that does not fit": f"raise ValueError('{NUMPY_ABI}')",
    "an ABI that does not fit": "raise RuntimeError('compiled against ABI version 0x1000009')",
    "a cause": "try: 1 / 0\nexcept Exception as e: raise ImportError('no core') from e",
    "an attribute": "import sys; sys.no_such_thing",
    "half a file": "def f(:",
    "leaving": "raise SystemExit(3)",
    "room for threads": f"raise ImportError('{TLS}')",
    "no right to read": "raise PermissionError(13, 'Permission denied', 'x.so')",
    "nothing said": "raise RuntimeError",
}
MEMORY = {
    "memory": "raise MemoryError",
    "memory for a library": f"raise ImportError('{MAP}')",
    "memory of the system": "raise OSError(12, 'Cannot allocate memory')",
    "memory of C++": "raise RuntimeError('std::bad_alloc')",
    "memory of a card": "raise RuntimeError('CUDA error: out of memory')",
    "memory of Windows": "raise OSError('[WinError 1455] The paging file is too small')",
}


def raised_by_importing(folder: Path, text: str, line: str) -> BaseException:
    """What a module of ours with that line raises, where a package holds the text."""
    (folder / "fragile").mkdir()
    (folder / "fragile" / "__init__.py").write_text(text)
    for name in [n for n in sys.modules if n.partition(".")[0] == "fragile"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        try:
            exec(compile(line, "ours.py", "exec"), {"__name__": "backend.somewhere"})
        except (Exception, SystemExit) as error:
            return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("kind", SETUP)
def test_a_package_that_can_not_be_loaded_is_the_set_up_s(tmp_path: Path, kind: str) -> None:
    error = explain(raised_by_importing(tmp_path, SETUP[kind], "import fragile"))
    assert error.code == "SETUP"
    assert "fragile is there, but can't be loaded" in error.what
    assert "Set the compute environment up again" in error.advice


@pytest.mark.parametrize("kind", MEMORY)
def test_memory_that_runs_out_while_a_package_is_loaded(tmp_path: Path, kind: str) -> None:
    error = explain(raised_by_importing(tmp_path, MEMORY[kind], "import fragile"))
    assert error.code == "MEMORY"
    assert "fragile" in error.what
    assert ran_out_of_memory(OSError(12, "x"))


@pytest.mark.parametrize(
    "line",
    ["from fragile import x", "import fragile.x", "def f():\n from fragile import x\nf()"],
)
def test_packages_that_lack_a_part(tmp_path: Path, line: str) -> None:
    error = explain(raised_by_importing(tmp_path, "", line))
    assert error.code == "SETUP" and "fragile" in error.what


def test_the_innermost_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text("raise OSError('gone')")
    error = explain(raised_by_importing(tmp_path, "import inner", "import fragile"))
    assert "package inner is there" in error.what


def test_libraries_that_leave_no_frame(tmp_path: Path) -> None:
    """A shared object raises from within the import itself."""
    (tmp_path / "compiled.so").write_bytes(b"no library")
    error = explain(raised_by_importing(tmp_path, "", "import compiled"))
    assert error.code == "SETUP" and "compiled" in error.what


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def f(): raise ValueError('x')", "import fragile; fragile.f()"),
        ("", "import json; json.loads('[')"),
        ("", "raise OSError('cannot open shared object file')"),
    ],
)
def test_what_is_raised_later_is_no_matter_of_the_set_up(
    tmp_path: Path, text: str, line: str
) -> None:
    assert explain(raised_by_importing(tmp_path, text, line)).code == "INTERNAL"


def break_packages(folder: Path, **texts: str) -> dict[str, str]:
    """The environment of a process in which these packages are what the texts say."""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return {"PYTHONPATH": str(folder)}


@pytest.mark.process
def test_doctor_tells_each_of_them(tmp_path: Path) -> None:
    environment = break_packages(
        tmp_path,
        torch=SETUP["a missing library"],
        scipy=SETUP["a numpy that does not fit"],
        av=SETUP["an attribute"],
        cv2=MEMORY["memory"],
        OpenEXR=SETUP["leaving"],
        pycolmap="print('[1, 2]'); raise KeyError('x')",
    )
    done = backend("doctor", "--json", **environment)
    report = json.loads(done.stdout)
    assert done.returncode == 1 and not report["ready"]
    told = " | ".join(report["missing"])
    for part in (
        "torch (training and rendering): OSError: libtorch_cpu.so",
        "scipy (neighbours of points): ValueError: numpy.dtype size",
        "av (reading video): AttributeError",
        "opencv-python-headless (following points): MemoryError",
        "OpenEXR (depth maps): SystemExit: 3",
        "pycolmap (solving cameras): KeyError",
    ):
        assert part in told
    assert len(report["missing"]) == 6
    assert any("--force-reinstall" in text for text in report["advice"])
    assert any("Close other programs" in text for text in report["advice"])
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.process
def test_doctor_outlives_a_library_that_ends_the_process(tmp_path: Path) -> None:
    done = backend("doctor", **break_packages(tmp_path, numpy="import os; os.abort()"))
    assert done.returncode == 1
    assert "numpy (everything): it ends the process that loads it (status -6)" in done.stdout
    assert "Set Up" in done.stdout and "Traceback" not in done.stderr


@pytest.mark.process
def test_doctor_of_a_torch_that_imports_and_does_not_compute(tmp_path: Path) -> None:
    lame = "import types; cuda = types.SimpleNamespace(is_available=lambda: 1 / 0)"
    done = backend("doctor", **break_packages(tmp_path, torch=lame))
    assert done.returncode == 1
    assert "computing does not start" in done.stdout and "Traceback" not in done.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("text", "code"), [(SETUP["a missing library"], "SETUP"), (MEMORY["memory"], "MEMORY")]
)
def test_a_job_ends_in_that_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, code: str
) -> None:
    job = make_job(tmp_path, 5)
    monkeypatch.setenv("PYTHONPATH", break_packages(tmp_path, torch=text)["PYTHONPATH"])
    with start("splats", "--events", "--job", job) as process:
        events = [protocol.decode(line) for line in process.stdout]
    failure = events[-1]
    assert isinstance(failure, protocol.Failure)
    assert failure.code == code and "torch" in failure.what


def test_questions_by_words_are_answered_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_words.py").write_text("import broken_torch")
    (tmp_path / "broken_torch.py").write_text(SETUP["a missing library"])
    monkeypatch.syspath_prepend(tmp_path)
    scores = load_answer("broken_words")(Question(id=4, folder="x", prompt="lamp"))
    assert scores.id == 4 and "broken_torch is there, but can't be loaded" in scores.error
    assert decode_scores(encode_words(scores)) == scores


@pytest.mark.process
def test_the_command_line_starts_without_any_package() -> None:
    """Else a broken numpy would end `doctor` and every job in a traceback."""
    text = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import backend.__main__, backend.doctor"
    text += "\nimport backend.semantics.words_loop, backend.runtime.job"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", text], check=False)
    assert done.returncode == 0
