"""Checks the code in the manual: the backend's parser reads its commands, Python is compiled."""

import re
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from backend.__main__ import CHECKOUT, make_parser  # noqa: E402

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
NAMES = (CHECKOUT, "splatsmith")


def wrong_command(line: str) -> str:
    """What the parser says against a command of ours; empty where it has nothing to say."""
    name = next((n for n in NAMES if line.startswith(f"{n} ")), None)
    if name is None:
        return ""
    words = shlex.split(line[len(name) :], comments=True)
    try:
        make_parser().parse_args(words)
    except SystemExit as error:
        return f"{line}: refused" if error.code else ""
    return ""


def main() -> int:
    """The number of fences that are wrong; each is named."""
    wrong = []
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        for language, code in FENCE.findall(path.read_text(encoding="utf-8")):
            if language == "python":
                try:
                    compile(code, str(path), "exec")
                except SyntaxError as error:
                    wrong.append(f"{path.name}: {error}")
            joined = code.replace("\\\n", " ")
            wrong += [f"{path.name}: {w}" for w in map(wrong_command, joined.splitlines()) if w]
    for text in wrong:
        sys.stderr.write(text + "\n")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
