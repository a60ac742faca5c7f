# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the hash-locked lists of this folder from pyproject.toml: `make locks`.

`--torch-cpu WHEEL` names a file of torch's Linux CPU build, which the package index does not carry;
its hash is added.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
GPU_ONLY = re.compile(r"^(nvidia-|cuda-|triton==)")
HEAD = "# Written by wheels/make_locks.py from pyproject.toml; do not edit.\n"


def compile_lock(requirements: list[str]) -> str:
    """uv's universal lock of the requirements: every platform, every Python from 3.11."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
    ]
    quiet = ["--no-header", "--no-annotate", "--quiet", "-"]
    done = subprocess.run(
        [*command, *quiet],
        input="\n".join(requirements),
        text=True,
        capture_output=True,
        check=True,
    )
    return "".join(
        line + "\n" for line in done.stdout.splitlines() if not line.startswith("--index")
    )


def blocks(lock: str) -> list[str]:
    """One string a package: its requirement and its hashes."""
    return re.split(r"\n(?=[a-zA-Z0-9])", lock.strip())


def split_torch(block: str, cpu_hash: str) -> list[str]:
    """On Linux the index's torch is the CUDA build, so there the CPU build is asked for by its own
    version.
    """
    requirement, hashes = block.split(" \\\n", 1)
    linux = f"{requirement}+cpu ; sys_platform == 'linux' \\\n    --hash=sha256:{cpu_hash}"
    return [linux, f"{requirement} ; sys_platform != 'linux' \\\n{hashes}"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--torch-cpu", type=Path, required=True)
    torch_cpu = hashlib.sha256(parser.parse_args().torch_cpu.read_bytes()).hexdigest()
    told = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    extras, groups = told["project"]["optional-dependencies"], told["dependency-groups"]
    cuda = [r for r in extras["cuda"] if not r.startswith("splatsmith")]
    cpu = [b for b in blocks(compile_lock(extras["cpu"])) if not GPU_ONLY.match(b)]
    cpu = [
        part
        for b in cpu
        for part in (split_torch(b, torch_cpu) if b.startswith("torch==") else [b])
    ]
    (HERE / "cpu.txt").write_text(HEAD + "\n".join(cpu) + "\n")
    (HERE / "cuda.txt").write_text(HEAD + compile_lock([*extras["cpu"], *cuda]))
    uv = next(r for r in groups["dev"] if r.startswith("uv=="))
    (HERE / "uv.txt").write_text(HEAD + compile_lock([uv]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
