"""What every test run does: unmarked tests start no process, and what costs how many CPU seconds by
room.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.runtime.device import ANYWHERE

os.environ.update(ANYWHERE)  # before torch is loaded, as every job does
started: list[str] = []
BEFORE = pytest.StashKey[int]()


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        started.append(str(arguments[0]))


sys.addaudithook(_notice)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever reads USD starts a process (formats/splats/usd_probe.py)."""
    for item in items:
        if "usd" in item.name.lower():
            item.add_marker(pytest.mark.process)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[BEFORE] = len(started)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """`make check` leaves out what is marked `process`, so nothing else may start one."""
    if not item.get_closest_marker("process"):
        new = started[item.stash[BEFORE] :]
        assert not new, f"a test that starts a process is marked with pytest.mark.process: {new}"


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Time by the clock says how busy the machine was; CPU seconds say what a test costs."""
    item.user_properties.append(("cpu_begun", _cpu_seconds()))
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    properties = dict(item.user_properties)
    item.user_properties[:] = [
        ("cpu_begun", properties["cpu_begun"]),
        ("cpu", _cpu_seconds() - float(str(properties["cpu_begun"]))),
    ]
    yield


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The dearest tests and rooms in CPU seconds, children included."""
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                tests[report.nodeid] = dict(report.user_properties).get("cpu", 0.0)
    if not tests:
        return  # only collected
    rooms: Counter[str] = Counter()
    for name, seconds in tests.items():
        rooms["/".join(Path(name.split("::")[0]).parts[:3])] += seconds
    write = terminalreporter.write_line
    write(f"CPU seconds: {sum(tests.values()):.0f}, the most in")
    for name, seconds in [*rooms.most_common(10), *tests.most_common(10)]:
        write(f"{seconds:8.1f}  {name}")
