"""The command line: `python -m backend VERB --input … --output …`. Run it with --help."""

import argparse
import dataclasses
import importlib
import logging
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from . import protocol
from .protocol import OPTIONS, Request, SplatsmithError
from .runtime.cancel import CancelToken, stop_on_signals, stop_with_parent
from .runtime.device import die_with_parent, tune_process
from .runtime.folder import JobFolder
from .runtime.job import run_job
from .runtime.reporter import PipeReporter, Reporter, TerminalReporter

VERB_HELP = {
    "cameras": (
        "find the cameras of a video or of photos, or read someone else's solve",
        "--input is a video file, a folder of photos, a COLMAP folder, a transforms.json "
        "(nerfstudio, instant-ngp) or a\n"
        "folder that holds one. --output receives a capture: transforms.json, images/, "
        "points3D.ply, sparse/0.",
        "python -m backend cameras --input walk.mp4 --output walk-capture --preset fast",
    ),
    "splats": (
        "train Gaussian splats on a capture",
        "--input is a capture: a folder with transforms.json and images/, as the verb `cameras` "
        "leaves it.\n"
        "--output receives splats.ply, heldout.png (photo beside render) and curve.json. A run "
        "that was stopped goes on\n"
        "from its checkpoint when the same command is given again.",
        "python -m backend splats --input walk-capture --output walk-splats --preset balanced",
    ),
    "render": (
        "render splats through the cameras of a capture",
        "--input is a 3DGS PLY file. --output receives one PNG a camera, in the capture's order, "
        "and video.mp4 if asked.",
        "python -m backend render --input walk-splats/splats.ply --capture walk-capture --output "
        "frames",
    ),
    "segment": (
        "find the objects in trained splats",
        "--input is a 3DGS PLY file. --output receives splats.ply with an object_id for every "
        "splat, objects.json, and\n"
        "semantics.npz, which holds what a CLIP model saw in each object if one is given "
        "(--model).",
        "python -m backend segment --input walk-splats/splats.ply --capture walk-capture --output "
        "walk-objects",
    ),
    "select": (
        "take objects out of segmented splats, or leave them out",
        "--input is the folder that `segment` left. --output receives splats.ply, and "
        "selection.json with every object's score.",
        "python -m backend select --input walk-objects --prompt 'chair, stool; lamp' --output "
        "walk-chairs",
    ),
}
VERB_HELP["speech"] = (
    "turn speech into the motion of a face",
    "--input is a sound or a video. --output receives motion.npz (keys for 52 ARKit shapes, blinks "
    "and the head, in layers),\n"
    "live_link.csv (every frame, as Live Link Face writes it) and curves.png. Any language; a "
    "transcript makes lips exact.",
    "python -m backend speech --input line.wav --fps 24 --output line-motion",
)
VERB_HELP["head"] = (
    "make a head with ARKit's 52 shapes, to animate",
    "--input is `small` for the project's own, the folder FaceXModel of ICT-FaceKit, or a file of "
    "FLAME.\n"
    "--output receives head.npz, which Blender's side reads, and head.png.",
    "python -m backend head --input small --output my-head",
)
VERB_HELP["face"] = (
    "read the motion of a face from a video, and learn how its owner speaks",
    "--input is a video of one person who has agreed to it. --output receives motion.npz and "
    "live_link.csv as `speech` does,\n"
    "head.npz (this person's head, to animate), speaker.safetensors, which `speech --speaker` "
    "takes, and gaussian_head.npz, the\n"
    "person as Gaussians on that head, which `talk` renders and Blender shows.",
    "python -m backend face --input talk.mp4 --tracker ~/mediapipe --rig ~/FaceXModel --output "
    "talk-face",
)
VERB_HELP["talk"] = (
    "render a Gaussian head that speaks, as a video with sound that is marked as synthetic",
    "--input is the folder that `face` has left, --motion what `speech` has made of a sound. "
    "--output receives talk.mp4.",
    "python -m backend talk --input talk-face --motion line-speech/motion.npz --output line-video",
)
VERB_HELP["mesh"] = (
    "reconstruct a moving object as one animated mesh whose vertices keep their identity",
    "--input is a capture whose pictures have a time, as `cameras` leaves it of a video, or "
    "D-NeRF's transforms_train.json.\n"
    "--output receives mesh.npz (places, nodes, weights) and texture.png, or with --mode free "
    "mesh_frames.npz (a mesh a frame,\n"
    "tied by ids); object.png, what was taken for the object; and heldout.png (photo beside "
    "render).",
    "python -m backend mesh --input walk-capture --masks walk-masks --output walk-mesh",
)
VERB_HELP["bones"] = (
    "find bones and weights for a mesh sequence that has none",
    "--input is a mesh.npz. --output receives mesh.npz with bones, which game engines play: tiny, "
    "and close to what was there.",
    "python -m backend bones --input cloth/mesh.npz --bones 60 --output cloth-bones",
)
VERB_HELP["register"] = (
    "make one animated mesh of a sequence whose meshes have nothing in common but their shape",
    "--input is a mesh_frames.npz, as `mesh --mode free` leaves it, or Blender's side of a folder "
    "of files. --output receives\n"
    "mesh.npz: the first mesh, as it follows the others.",
    "python -m backend register --input walk-free/mesh_frames.npz --output walk-followed",
)
VERB_HELP["model"] = (
    "fetch a CLIP model, which words need",
    "--input is the folder to keep models in. Without --agree it only says what it would fetch. "
    "--output receives its path.",
    "python -m backend model --input ~/models --name ViT-B-32 --agree --output ~/models/record",
)
VERB_HELP["setup"] = (
    "make a Python environment with everything that the other verbs need",
    "--input is the folder to make it in; run this with the Python (3.11 to 3.13) that it should "
    "be made from.\n"
    "--output receives the record of it. Blender's Set Up button does the same.",
    "python -m backend setup --input ~/splatsmith-env --output ~/splatsmith-env-record",
)
PRESET_HELP = "how much time to spend (on two cores: about 1 minute, 5 minutes, as long as it pays)"


def _add_option(group: Any, field: dataclasses.Field[Any]) -> None:
    flag, text = f"--{field.name.replace('_', '-')}", field.metadata["help"]
    if field.type is bool:
        group.add_argument(
            flag, action=argparse.BooleanOptionalAction, help=text, default=argparse.SUPPRESS
        )
    elif get_origin(field.type) is Literal:
        group.add_argument(flag, choices=get_args(field.type), help=text, default=argparse.SUPPRESS)
    else:
        kind: Any = field.type
        name = {int: "N", float: "X"}.get(kind, "TEXT")
        group.add_argument(flag, type=kind, metavar=name, help=text, default=argparse.SUPPRESS)


def _add_verb(verbs: Any, verb: str) -> None:
    short, long, example = VERB_HELP[verb]
    parser = verbs.add_parser(
        verb,
        help=short,
        description=f"{short[0].upper()}{short[1:]}.\n\n{long}",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--input", metavar="PATH", help="what to read")
    parser.add_argument(
        "--output", metavar="DIR", type=Path, help="where the result goes; made if it is not there"
    )
    parser.add_argument(
        "--preset", choices=get_args(protocol.Preset), default="balanced", help=PRESET_HELP
    )
    parser.add_argument(
        "--device",
        choices=get_args(protocol.Device),
        default="auto",
        help="where to compute (auto: CUDA where gsplat runs)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="equal seeds give equal results on the CPU"
    )
    _add_plumbing(parser)
    group = parser.add_argument_group(f"options of {verb}")
    for field in dataclasses.fields(OPTIONS[verb]):
        _add_option(group, field)


def _add_plumbing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("for programs")
    group.add_argument(
        "--events", action="store_true", help="speak the JSON protocol on standard output"
    )
    group.add_argument(
        "--job",
        metavar="DIR",
        type=Path,
        help="run (or go on with) the job whose request.json lies in DIR",
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backend",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Splatsmith's compute backend: from footage to cameras to Gaussian splats, without "
        "Blender.",
        epilog="`python -m backend VERB --help` tells more. Start with `doctor` to see what this "
        "machine can do.",
    )
    parser.add_argument("--version", action="version", version=f"Splatsmith {protocol.VERSION}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in OPTIONS:
        _add_verb(verbs, verb)
    doctor = verbs.add_parser(
        "doctor", help="say what this machine can do, what is missing and how to get it"
    )
    doctor.add_argument("--json", action="store_true", help="for programs")
    words = verbs.add_parser(
        "words",
        help="for programs: answer prompts line by line until the input ends "
        "(formats/words_lines.py)",
    )
    words.add_argument(
        "--idle",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="end when nothing was asked for so long",
    )
    return parser


def _request(arguments: argparse.Namespace) -> tuple[Request, JobFolder]:
    if arguments.job:
        folder = JobFolder.for_job(arguments.job)
        return folder.request(), folder
    if not arguments.input or not arguments.output:
        raise protocol.InputError(
            "--input and --output are both needed.",
            f"See `python -m backend {arguments.verb} --help`.",
        )
    shared = {"verb", "input", "output", "preset", "device", "seed", "events", "job"}
    options = protocol.make_options(
        arguments.verb, {k: v for k, v in vars(arguments).items() if k not in shared}
    )
    device: protocol.Device = (
        "cpu" if arguments.verb == "setup" else arguments.device
    )  # asking for CUDA takes torch, which setup installs
    request = Request(
        arguments.verb, arguments.input, options, arguments.preset, device, arguments.seed
    )
    return request.checked(), JobFolder.for_output(arguments.output)


def _run(arguments: argparse.Namespace) -> int:
    cancel = CancelToken()
    stop_on_signals(cancel)
    reporter: Reporter = TerminalReporter()
    if arguments.events:
        reporter = PipeReporter()
        die_with_parent()
        stop_with_parent(cancel)
    try:
        request, folder = _request(arguments)
    except SplatsmithError as error:
        reporter.send(protocol.Failure(error.code, error.what, error.advice))
        return 1
    return run_job(request, folder, reporter, cancel)


def main() -> int:
    tune_process()
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s", stream=sys.stderr)
    arguments = make_parser().parse_args()
    if arguments.verb == "doctor":
        from .runtime import doctor

        return doctor.main(as_json=arguments.json)
    if arguments.verb == "words":
        die_with_parent()
        status: int = importlib.import_module(".semantics.words_service", __package__).serve(
            arguments.idle
        )
        return status
    return _run(arguments)


if __name__ == "__main__":
    sys.exit(main())
