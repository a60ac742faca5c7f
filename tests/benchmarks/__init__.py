"""The figures that the docs and the issues quote: `make bench`, `make bench ROOM=cameras`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests/helpers
