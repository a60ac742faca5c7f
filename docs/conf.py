"""Sphinx: the manual from Markdown. `make docs` builds it, warnings being errors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from backend.protocol import VERSION

project, author, release = "Splatsmith", "The Splatsmith developers", VERSION
copyright = "2026 The Splatsmith developers"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Splatsmith"
exclude_patterns = ["figures"]
