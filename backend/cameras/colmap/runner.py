"""Starts the COLMAP process, passes its news on, and makes its death a sentence."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...protocol import CrashError, DiskError, InputError, OutOfMemory, SolveError, SplatsmithError
from ...runtime.cancel import CancelToken
from .colmap_command import ColmapTask
from .database_progress import RowCounter

BACKEND_PARENT = Path(__file__).resolve().parents[3]


def run(
    task: ColmapTask,
    cancel: CancelToken,
    on_stage: Callable[[str], None],
    on_progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Runs the task to its end; returns its figures. Cancelling kills the process at once."""
    path = Path(task.work) / "task.json"
    task.write(path)
    command = [sys.executable, "-X", "utf8", "-m", f"{__package__}.process", str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=BACKEND_PARENT
    ) as process:
        forget = cancel.on_cancel(process.kill)
        answer: dict[str, Any] = {}
        counter: RowCounter | None = None
        try:
            assert process.stdout is not None
            for line in process.stdout:
                message = json.loads(line)
                if counter is not None:
                    counter.stop()
                    counter = None
                if "count" in message:
                    counter = RowCounter(
                        Path(task.work) / "database.db",
                        message["count"],
                        message["total"],
                        on_progress,
                    )
                elif "stage" in message:
                    on_stage(message["stage"])
                elif "step" in message:
                    on_progress(message["step"], message["total"])
                else:
                    answer = message
        finally:
            if counter is not None:
                counter.stop()
            process.kill() if sys.exc_info()[0] else process.wait()
            forget()
    cancel.check()
    return _judge(answer, process.returncode)


def _judge(answer: dict[str, Any], status: int) -> dict[str, Any]:
    if "stats" in answer:
        stats: dict[str, Any] = answer["stats"]
        return stats
    if "error" in answer:
        kinds: dict[str, type[SplatsmithError]] = {
            k.code: k for k in (InputError, SolveError, OutOfMemory, DiskError)
        }
        raise kinds.get(answer["code"], CrashError)(answer["error"], answer["advice"])
    if status == -9:
        raise OutOfMemory(
            "COLMAP was killed, most likely for lack of memory.",
            "Use fewer or smaller pictures (--frames, --max-side).",
        )
    raise CrashError(
        f"COLMAP ended unexpectedly (status {status}).",
        "The job's log has its last words; try other footage or the other solver.",
    )
