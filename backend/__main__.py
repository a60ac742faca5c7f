"""The command line: `python -m backend VERB --input … --output …`. Run it with --help."""

import argparse
import dataclasses
import importlib
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from . import protocol
from .protocol import Request, SplatsmithError
from .runtime import atomic, network
from .runtime.cancel import CancelToken, stop_on_signals, stop_with_parent
from .runtime.device import tune_process
from .runtime.folder import JobFolder
from .runtime.job import run_job
from .runtime.parent import end_with_parent
from .runtime.reporter import PipeReporter, Reporter, TerminalReporter
from .verb import Verb
from .verbs import VERBS, find_verb, read_request

CHECKOUT = "python -m backend"  # how it is started in a checkout; pip gives it a name of its own
PROGRAM = CHECKOUT if __package__ == "backend" else "splatsmith"


def _add_option(group: Any, field: dataclasses.Field[Any], text: str) -> None:
    flag = f"--{field.name.replace('_', '-')}"
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


def _add_verb(verbs: Any, verb: Verb[Any]) -> None:
    parser = verbs.add_parser(
        verb.name,
        help=verb.help,
        description=f"{verb.help[0].upper()}{verb.help[1:]}.\n\n{verb.description}",
        epilog=f"example:\n  {verb.example.replace(CHECKOUT, PROGRAM)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--input", metavar="PATH", help="what to read")
    parser.add_argument(
        "--output", metavar="DIR", type=Path, help="where the result goes; made if it is not there"
    )
    parser.add_argument(
        "--preset", choices=get_args(protocol.Preset), default="balanced", help=verb.preset_help()
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
    group = parser.add_argument_group(f"options of {verb.name}")
    for field in dataclasses.fields(verb.options):
        _add_option(group, field, verb.option_help(field.name))


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
    group.add_argument(
        "--online", action="store_true", help="with --job: this job may download what it asks for"
    )


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line, with every verb of the registry."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Splatsmith's compute backend: from footage to cameras to Gaussian splats, "
        "without Blender.",
        epilog=f"`{PROGRAM} VERB --help` tells more. Start with `doctor` to see what this "
        "machine can do.",
    )
    parser.add_argument("--version", action="version", version=f"Splatsmith {protocol.VERSION}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS.values():
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


def _request(arguments: argparse.Namespace) -> tuple[Request[Any], JobFolder]:
    if arguments.job:
        folder = JobFolder.for_job(arguments.job)
        return read_request(folder.request_text()), folder
    if not arguments.input or not arguments.output:
        raise protocol.InputError(
            "--input and --output are both needed.",
            f"See `{PROGRAM} {arguments.verb} --help`.",
        )
    shared = {"verb", "input", "output", "preset", "device", "seed", "events", "job", "online"}
    values = {k: v for k, v in vars(arguments).items() if k not in shared}
    if _names_file(arguments):
        values["to"] = arguments.output.name
    request = Request(
        verb=arguments.verb,
        input=arguments.input,
        options=find_verb(arguments.verb).make_options(values),
        preset=arguments.preset,
        device=arguments.device,
        seed=arguments.seed,
    )
    return request.checked(), JobFolder.for_output(arguments.output)


def _names_file(arguments: argparse.Namespace) -> bool:
    """Whether --output is the one file of the result, not a folder for it."""
    ends = find_verb(arguments.verb).file_ends
    output = arguments.output
    return bool(ends and output and output.name.lower().endswith(ends) and not output.is_dir())


def _run_into_file(arguments: argparse.Namespace, reporter: Reporter, cancel: CancelToken) -> int:
    """The same where --output is a file: the job's folder is gone at the end."""
    output: Path = arguments.output
    try:
        holder = tempfile.TemporaryDirectory(prefix=".splatsmith-", dir=output.parent)
    except OSError as error:
        text = f"{output} can't be written: {error.strerror}."
        reporter.send(protocol.Failure("INPUT", text, "Choose another place for the result."))
        return 1
    with holder as folder:
        made = Path(folder) / "result"
        request, _ = _request(arguments)
        verb, job_folder = find_verb(request.verb), JobFolder.for_output(made)
        status = run_job(verb, request, job_folder, reporter, cancel)
        if status == 0:
            _bring_beside(made, output)
    return status


def _bring_beside(made: Path, output: Path) -> None:
    """What a job made, into the folder of `output`; the parts of the file that was there go."""
    from .formats.splats import sog_files  # needs packages, which `setup` runs without

    former = sog_files.parts_beside(output) if output.name == sog_files.META else set()
    for part in (p for p in made.iterdir() if p.is_file() and p.name != "manifest.json"):
        os.replace(part, output.parent / part.name)
        former.discard(output.parent / part.name)
    for old in former:
        old.unlink(missing_ok=True)
    atomic.sync_folder(output.parent)


def run(arguments: argparse.Namespace, reporter: Reporter, cancel: CancelToken) -> int:
    """Runs a verb from its parsed arguments to its end; the exit status."""
    try:
        request, folder = _request(arguments)
        if not arguments.job and _names_file(arguments):
            return _run_into_file(arguments, reporter, cancel)
    except SplatsmithError as error:
        reporter.send(protocol.Failure(error.code, error.what, error.advice))
        return 1
    return run_job(find_verb(request.verb), request, folder, reporter, cancel)


def _run_as_process(arguments: argparse.Namespace) -> int:
    if arguments.job and not arguments.online:
        network.close()
    cancel = CancelToken()
    stop_on_signals(cancel, has_human=not arguments.events)
    reporter: Reporter = TerminalReporter()
    if arguments.events:
        end_with_parent()
        reporter = PipeReporter()
        stop_with_parent(cancel)
    return run(arguments, reporter, cancel)


def main() -> int:
    """Runs what the command line asks for; the exit status."""
    tune_process()
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s", stream=sys.stderr)
    arguments = make_parser().parse_args()
    if arguments.verb in ("doctor", "words"):
        network.close()
    if arguments.verb == "doctor":
        from . import doctor

        if arguments.json:
            end_with_parent()
        return doctor.main(as_json=arguments.json)
    if arguments.verb == "words":
        end_with_parent()
        loop = importlib.import_module(".semantics.words_loop", __package__)
        status: int = loop.serve(arguments.idle)
        return status
    return _run_as_process(arguments)


if __name__ == "__main__":
    sys.exit(main())
