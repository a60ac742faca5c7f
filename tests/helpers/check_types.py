"""mypy over the extension: `python tests/helpers/check_types.py [mypy's own arguments]`.

To Blender the checkout itself is the package that holds addon/ and backend/. mypy takes its name
from the folder, which may be called anything: so it is shown a link with a name that will do.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """mypy's own status."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "splatsmith"
        try:
            link.symlink_to(ROOT, target_is_directory=True)
        except OSError:  # Windows without the right to make links
            shutil.copytree(ROOT, link, ignore=shutil.ignore_patterns(".*", "out", "__pycache__"))
        command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
        command += ["--cache-dir", str(ROOT / ".mypy_cache"), *arguments]
        paths = ["splatsmith/backend", "splatsmith/addon"]
        return subprocess.run([*command, *paths], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
