"""Talking heads: voices told from music, sound to motion, closures, tracking, speakers of one's
own, the Gaussian head, what all cost. PART=motion,closure,… for some; SEEDS.
"""

import importlib
import os

from tests.benchmarks.table import Table

PARTS = (
    "voices", "transcripts", "closure", "motion", "tracker", "speaker", "head", "whole_head",
    "transfer", "cost",
)  # fmt: skip


def run(table: Table) -> None:
    for part in os.environ.get("PART", ",".join(PARTS)).split(","):
        importlib.import_module(f"tests.benchmarks.talking_{part}").run(table)
