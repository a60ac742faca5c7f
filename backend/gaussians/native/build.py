# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the CPU kernels into `py3-none-PLATFORM` wheels with the compiler of the `ziglang`
package.

    python backend/gaussians/native/build.py [--out wheels] [--platform linux-x86_64 …] [--all]
    python backend/gaussians/native/build.py --sanitize FOLDER

Without arguments: the machine's own platform. The wheel holds the package `splatsmith_kernels` with
one library an instruction set; backend/gaussians/native_library.py picks one at run time. A wheel
is only written again when the source changed.

`--sanitize` builds the same package into a folder, with the address and undefined-behaviour
sanitizers of gcc or clang (zig brings the runtime of neither). Any Python uses it so:

    LD_PRELOAD="$(cat FOLDER/runtime.txt)" PYTHONPATH=FOLDER ASAN_OPTIONS=detect_leaks=0 python …

The first mistake ends that process with a report on its standard error.
"""

import argparse
import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("splat_kernels.cpp")
VERSION = "0.1.0"
FLAGS = [
    "-O3",
    "-std=c++17",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
]
FLAGS += ["-ffp-contract=fast", "-Wno-psabi", "-DNDEBUG"]
CHECKS = "address,undefined,float-cast-overflow"
SANITIZE = ["-std=c++17", "-fPIC", "-O1", "-g", "-fno-omit-frame-pointer", "-Wno-psabi"]
SANITIZE += [f"-fsanitize={CHECKS}", "-fno-sanitize-recover=all"]


@dataclass(frozen=True)
class Variant:
    """One library: an instruction set and its floats per vector."""

    name: str
    cpu: str
    vector_width: int


X86 = (
    Variant("sse", "x86_64_v2", 4),
    Variant("avx2", "x86_64_v3", 8),
    Variant("avx512", "x86_64_v4", 16),
)


@dataclass(frozen=True)
class Platform:
    """Where a wheel runs: its zig target, its wheel tag, its libraries."""

    target: str
    tag: str
    suffix: str
    variants: tuple[Variant, ...]


PLATFORMS = {
    "linux-x86_64": Platform("x86_64-linux-gnu.2.28", "manylinux_2_28_x86_64", ".so", X86),
    "linux-aarch64": Platform(
        "aarch64-linux-gnu.2.28", "manylinux_2_28_aarch64", ".so", (Variant("neon", "generic", 4),)
    ),
    "windows-x86_64": Platform("x86_64-windows-gnu", "win_amd64", ".dll", X86),
    "macos-arm64": Platform(
        "aarch64-macos.11.0", "macosx_11_0_arm64", ".dylib", (Variant("neon", "apple_m1", 4),)
    ),
}


def own_platform() -> str | None:
    """Name of the platform that this machine is, or None where no wheel fits."""
    system = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}.get(platform.system(), "")
    machine = {"AMD64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "aarch64"}.get(
        platform.machine(), ""
    )
    name = f"{system}-{machine}"
    return name if name in PLATFORMS else None


def wheel_name(where: Platform) -> str:
    """The wheel's file name for a platform."""
    return f"splatsmith_kernels-{VERSION}-py3-none-{where.tag}.whl"


def source_digest() -> str:
    """Changes when a wheel would come out differently."""
    return hashlib.sha256(SOURCE.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def is_current(wheel: Path) -> bool:
    """Whether the built wheel is of this very source."""
    if not wheel.is_file():
        return False
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("splatsmith_kernels/source.sha256").decode() == source_digest()


def compile_variant(where: Platform, variant: Variant, folder: Path) -> Path:
    """Compiles for the variant's processor, links for the platform's least one: so libc++ is built
    only once.
    """
    library, part = folder / f"kernels_{variant.name}{where.suffix}", folder / f"{variant.name}.o"
    compiler = [sys.executable, "-m", "ziglang", "c++", "-target", where.target]
    flags = [*FLAGS, f"-mcpu={variant.cpu}", f"-DVW={variant.vector_width}"]
    subprocess.run([*compiler, *flags, "-c", str(SOURCE), "-o", str(part)], check=True)
    least = f"-mcpu={where.variants[0].cpu}"
    subprocess.run([*compiler, least, "-shared", "-s", str(part), "-o", str(library)], check=True)
    return library


def write_wheel(where: Platform, libraries: list[Path], out: Path) -> Path:
    """Packs the libraries as a wheel (PEP 427), with fixed dates so that equal input gives equal
    bytes.
    """
    info = f"splatsmith_kernels-{VERSION}.dist-info"
    files = {
        "splatsmith_kernels/__init__.py": b'"""CPU kernels of Splatsmith: '
        b'plain libraries, loaded by the backend."""\n',
        "splatsmith_kernels/source.sha256": source_digest().encode(),
        **{f"splatsmith_kernels/{library.name}": library.read_bytes() for library in libraries},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: splatsmith-kernels\nVersion: {VERSION}\n"
        "License: GPL-3.0-or-later\nSummary: CPU Gaussian splatting kernels\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: splatsmith\nRoot-Is-Purelib: false\nTag: "
        f"py3-none-{where.tag}\n".encode(),
    }
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = out / wheel_name(where)
    part = wheel.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(
                zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED
            )
    part.replace(wheel)
    return wheel


def build(name: str, out: Path) -> Path:
    """Builds the wheel of one platform into `out`, unless it is there and current."""
    where = PLATFORMS[name]
    out.mkdir(parents=True, exist_ok=True)
    if is_current(out / wheel_name(where)):
        return out / wheel_name(where)
    with tempfile.TemporaryDirectory() as folder:
        libraries = [compile_variant(where, variant, Path(folder)) for variant in where.variants]
        return write_wheel(where, libraries, out)


def sanitizing_compiler() -> str | None:
    """The compiler of CXX, or g++ or clang++, where this machine can check itself."""
    names = (os.environ.get("CXX", ""), "g++", "clang++")
    return next(filter(None, map(shutil.which, filter(None, names))), None)


def _library(compiler: str, name: str) -> str:
    """Where the compiler has a library; empty where it has none."""
    asked = [compiler, f"-print-file-name={name}"]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return str(Path(told).resolve()) if Path(told).is_file() else ""


def asan_runtime(compiler: str) -> str:
    """What must be loaded before Python, for LD_PRELOAD: the address sanitizer of this compiler,
    and the C++ library, whose exceptions it can't follow otherwise.
    """
    for name in ("libasan.so", f"libclang_rt.asan-{platform.machine()}.so"):
        if sanitizer := _library(compiler, name):
            return f"{sanitizer} {_library(compiler, 'libstdc++.so.6')}".strip()
    raise FileNotFoundError(f"{compiler} has no address sanitizer")


def build_sanitized(folder: Path) -> Path:
    """The package for this machine, checked at every step, and `runtime.txt` beside it; again only
    when the source changed. Returns the folder. Raises FileNotFoundError without a compiler that
    has the sanitizers.
    """
    compiler, own = sanitizing_compiler(), own_platform()
    if compiler is None or own is None:
        raise FileNotFoundError("no g++ or clang++ on this machine")
    package, stamp = folder / "splatsmith_kernels", folder / "splatsmith_kernels/source.sha256"
    if stamp.is_file() and stamp.read_text() == source_digest():
        return folder
    package.mkdir(parents=True, exist_ok=True)
    extra = ["-shared-libasan"] if "clang" in Path(compiler).name else []
    where = PLATFORMS[own]
    for variant in where.variants:
        flags = [*SANITIZE, *extra, f"-DVW={variant.vector_width}"]
        if variant.cpu.startswith("x86"):
            flags += [f"-march={variant.cpu.replace('_', '-')}"]
        library = package / f"kernels_{variant.name}{where.suffix}"
        subprocess.run(
            [compiler, *flags, "-shared", str(SOURCE), "-o", str(library), "-pthread"], check=True
        )
    (folder / "runtime.txt").write_text(asan_runtime(compiler))
    (package / "__init__.py").write_text('"""CPU kernels, built with sanitizers."""\n')
    stamp.write_text(source_digest())
    return folder


def main() -> int:
    """Builds the kernels' wheels; the exit status."""
    parser = argparse.ArgumentParser(description="Builds the CPU kernels' wheels.")
    parser.add_argument("--out", type=Path, default=Path("wheels"))
    parser.add_argument(
        "--platform",
        action="append",
        choices=sorted(PLATFORMS),
        help="which (repeatable); default: this machine's",
    )
    parser.add_argument("--all", action="store_true", help="every platform")
    parser.add_argument("--sanitize", type=Path, metavar="FOLDER", help="with sanitizers, there")
    arguments = parser.parse_args()
    if arguments.sanitize:
        sys.stdout.write(f"{build_sanitized(arguments.sanitize)}\n")
        return 0
    own = own_platform()
    names = sorted(PLATFORMS) if arguments.all else arguments.platform or ([own] if own else [])
    for name in names:
        sys.stdout.write(f"{build(name, arguments.out)}\n")
    if not names:
        sys.stdout.write("No kernels for this platform: the pure-torch rasteriser will be used.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
