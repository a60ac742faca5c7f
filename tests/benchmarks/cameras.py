"""Cameras from real footage: how many, how far off, at what cost. Solved captures stay for the room `splats`."""

from tests.benchmarks import truth
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import Row, Table, has, say

CASES = {
    "fox": ("static/fox/images", "static/fox", truth.fox),
    "strecha_fountain_P11": ("static/strecha_fountain_P11/images", "static/strecha_fountain_P11", truth.fountain),
    "lund_door": ("static/lund_door/images", "static/lund_door", truth.lund),
    "tum_fr2_desk": ("static/tum_fr2_desk", "static/tum_fr2_desk", truth.tum),
    "vid_apple": ("static/vid_apple/apple.mp4", "", None),
}


def run(table: Table) -> None:
    for case, (path, truth_path, read_truth) in CASES.items():
        source = has(path)
        if source is None:
            continue
        output = table.scratch / case
        manifest = backend("cameras", source, output, "--preset", "balanced")
        if isinstance(manifest, str):
            say(f"{case:<28} {manifest}")
            table.add(Row(case, "registered", 0, "%"))
            continue
        cpu, peak = cost(manifest)
        table.add(Row(case, "registered", 100 * manifest["metrics"]["registered"] / manifest["metrics"]["pictures"], "%", 0, cpu, peak))
        table.add(Row(case, "reprojection", manifest["metrics"]["reprojection_px"], "px"))
        table.add(Row(case, "focal length", manifest["metrics"]["focal_px"], "px"))
        if read_truth:
            known = has(truth_path)
            table.add(Row(case, "ATE, share of the path", truth.trajectory_error(output, read_truth(known)), "%"))
