"""The verb `convert`: what it can be told."""

from dataclasses import dataclass

from ..verb import Verb, option

# what files that it writes end in; formats/splats/files.py knows what is behind each
ENDS = (".ply", ".spz", ".sog", "meta.json", ".splat", ".ksplat", ".glb", ".usdc", ".usda", ".usd")
PAGE_ENDS = (".html",)  # formats/splats/web_page.py


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """What the verb can be told."""

    to: str = option(
        "splats.ply",
        "the file's name where --output is a folder; its end says the format: .ply, "
        ".compressed.ply, .spz, .sog, meta.json (SOG in a folder), .splat, .ksplat, .glb, .usdc, "
        ".usda, .html (a web page with a viewer in it)",
    )
    degree: int = option(4, "keep harmonics up to this degree", 0, 4)
    spz_version: int = option(3, "version of SPZ; 4 is smaller, and newer programs read it", 2, 4)
    capture: str = option(
        "", "of a web page: folder whose cameras are its start view and its path (transforms.json)"
    )


VERB = Verb(
    name="convert",
    title="Convert Splats",
    options=ConvertOptions,
    help="turn a splat file into one of another format",
    description=(
        "--input is a splat file: .ply, .compressed.ply, .spz, .sog or a folder of one, .splat, "
        ".ksplat, .glb, .gltf, .usd; or a folder with splats.ply.\n"
        "--output is the new file, or a folder that receives it. What its format can't hold is "
        "told. A web page (.html) opens in any browser, from the disk, and asks the network for "
        "nothing."
    ),
    example="python -m backend convert --input walk-splats/splats.ply --output walk.spz",
    run="splats.convert_job",
    file_ends=(*ENDS, *PAGE_ENDS),
)
