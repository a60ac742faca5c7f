"""Drills of processes: what a job does when it, or whoever started it, is killed, frozen or fed
with noise. The suite runs short ones (tests/runtime); each takes a count for long ones.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests/helpers
