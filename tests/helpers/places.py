"""Where the checkout is, and where real data lies: tests that need it are skipped where it is
absent.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SPLATSMITH_DATA", ROOT.parent / "shared" / "data"))
