"""Splats from real footage, every eighth picture held out: quality over CPU seconds."""

from pathlib import Path

from tests.benchmarks.cameras import CASES
from tests.benchmarks.runs import backend, cost
from tests.benchmarks.table import OUT, Row, Table, has, say

# steps are chosen so that the run takes about the CPU seconds that the bar names, on the machine
# that measured it
FOX = ("--max-pixels", "129600", "--max-splats", "80000", "--steps", "11500")
FOX_SHORT = (*FOX[:4], "--steps", "2500")
LEGO = ("--max-pixels", "40000", "--max-splats", "60000", "--steps", "8000")
OTHERS = ("--preset", "fast")


def solved(case: str) -> Path | None:
    """The capture that the room `cameras` left, or a new one."""
    output = OUT / "cameras" / case
    source = has(CASES[case][0])
    if source is not None and not (output / "manifest.json").is_file():
        backend("cameras", source, output, "--preset", "balanced")
    return output if (output / "manifest.json").is_file() else None


def train(table: Table, case: str, capture: Path, options: tuple[str, ...], curve: bool) -> None:
    manifest = backend("splats", capture, table.scratch / f"{case} splats", *options)
    if isinstance(manifest, str):
        say(f"{case:<28} {manifest}")
        return
    cpu, peak = cost(manifest)
    size = "x".join(map(str, manifest["picture"]))
    for point in manifest["curve"] if curve else []:
        table.add(
            Row(
                case,
                f"PSNR at step {point['step']:.0f}, {size}",
                point["psnr"],
                "dB",
                0,
                point["cpu_seconds"],
            )
        )
        table.add(
            Row(
                case,
                f"SSIM at step {point['step']:.0f}, {size}",
                point["ssim"],
                "",
                0,
                point["cpu_seconds"],
            )
        )
    for metric, unit in (("psnr", "dB"), ("ssim", ""), ("splats", "")):
        if metric in manifest["metrics"]:
            table.add(
                Row(case, f"{metric}, {size}", manifest["metrics"][metric], unit, 0, cpu, peak)
            )


def fox_cameras(table: Table) -> None:
    """The same short training on our cameras with dense points, with the tracks' points only, and
    on the shipped cameras.
    """
    for name, source, options in (
        ("dense points", has(CASES["fox"][0]), ()),
        ("sparse points", has(CASES["fox"][0]), ("--no-depth",)),
        ("shipped cameras", has("static/fox/transforms.json"), ()),
    ):
        if source is None:
            continue
        case = f"fox, {name}"
        manifest = backend(
            "cameras", source, table.scratch / case, "--preset", "balanced", *options
        )
        if isinstance(manifest, str):
            say(f"{case:<28} {manifest}")
        else:
            train(table, case, table.scratch / case, FOX_SHORT, curve=True)


def run(table: Table) -> None:
    fox = solved("fox")
    if fox is not None:
        fox_cameras(table)
        train(table, "fox", fox, FOX, curve=True)
    lego = has("static/nerf_lego50")
    if lego is not None:
        manifest = backend("cameras", lego, table.scratch / "lego-capture", "--preset", "fast")
        if isinstance(manifest, str):
            say(f"{'nerf_lego50':<28} {manifest}")
        else:
            table.add(
                Row(
                    "nerf_lego50",
                    "points triangulated",
                    manifest["metrics"]["points"],
                    "",
                    0,
                    *cost(manifest),
                )
            )
            train(table, "nerf_lego50", table.scratch / "lego-capture", LEGO, curve=True)
    for case in ("strecha_fountain_P11", "lund_door", "tum_fr2_desk", "vid_apple"):
        capture = solved(case)
        if capture is not None:
            train(table, case, capture, OTHERS, curve=False)
