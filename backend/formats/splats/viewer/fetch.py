# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the viewer of web pages here from its package, held against a hash: `make viewer`.

SuperSplat Viewer (PlayCanvas, MIT) with its engine, as published; nothing of it is changed. The
files are part of the repository, so that neither installing nor writing a page downloads anything.
"""

import gzip
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = "@playcanvas/supersplat-viewer@1.36.2"
SHA512 = (
    "2fbc340656a00289d11d0839aa1683c8107cceb46d894f5082094d53791482ca"
    "87a6890202db9ff63e0fd24c6c51a427eb5159d6a2469112ac3826eb2c20d1d3"
)
PLAIN = {"package/public/index.html", "package/public/index.css", "package/LICENSE"}
SCRIPT = "package/public/index.js"


def main() -> int:
    """Writes the files; the exit status, 1 where the package is another than ours."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        if hashlib.sha512(archive.read_bytes()).hexdigest() != SHA512:
            sys.stderr.write(f"{PACKAGE} is not the package that it was.\n")
            return 1
        with tarfile.open(archive) as package:
            for name in sorted({*PLAIN, SCRIPT}):
                part = package.extractfile(name)
                data = part.read() if part else b""
                name = Path(name).name
                if name == "index.js":
                    name, data = "index.js.gz", gzip.compress(data, 9, mtime=0)
                (HERE / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
