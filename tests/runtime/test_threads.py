"""One thread inside an operation, on any machine, whatever the environment says."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
import torch
from helpers.places import ROOT

from backend.runtime.threads import SEVERAL, one_thread, several_threads


def ask(code: str, **environment: str) -> object:
    """What a process prints that has begun as every job does."""
    begin = "import json, sys, backend.__main__ as m; early = set(sys.modules); m.tune_process()\n"
    done = subprocess.run(
        [sys.executable, "-c", begin + textwrap.dedent(code)],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.process
def test_jobs_begin_with_one_thread() -> None:
    """However many the machine, or who started them, would have it be."""
    code = """
        import os, torch
        names = ("OPENBLAS_NUM_THREADS", "MKL_DYNAMIC")
        print(json.dumps([torch.get_num_threads(), *map(os.environ.get, names)]))
    """
    begun = ask(code, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2", MKL_DYNAMIC="TRUE")
    assert begun == [1, "1", "FALSE"]


@pytest.mark.process
def test_products_round_the_same_wherever_their_rows_lie() -> None:
    """A tensor that was read from a file lies anywhere; a resumed job ends as an unbroken one."""
    code = """
        import torch
        a, b = torch.linspace(-1, 2, 37_000).sin().view(1000, 37), torch.linspace(-2, 1, 1003).cos()
        def moved(tensor, by):
            room = torch.empty(tensor.numel() + 32)
            by += -(room.data_ptr() // 4) % 16
            place = room[by : by + tensor.numel()].view(tensor.shape)
            return place.copy_(tensor)
        print(json.dumps([
            [torch.equal(moved(a, by) @ b[:37], moved(a, 0) @ b[:37]) for by in range(16)],
            [torch.equal(moved(b, by) @ b, moved(b, 0) @ b) for by in range(16)],
        ]))
    """
    assert ask(code, MKL_CBWR="") == [[True] * 16] * 2


@pytest.mark.process
def test_nothing_that_has_threads_is_loaded_before() -> None:
    """It would not look at the environment again."""
    code = "print(json.dumps(sorted(early & {'numpy', 'scipy', 'torch', 'cv2', 'pycolmap'})))"
    assert ask(code) == []


def test_several_are_as_many_on_any_machine() -> None:
    before = torch.get_num_threads()
    with several_threads():
        assert torch.get_num_threads() == SEVERAL
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == SEVERAL
    assert torch.get_num_threads() == before
