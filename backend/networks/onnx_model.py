"""ONNX models: checked once when they are loaded, then run on arrays.

A model is data for onnxruntime, which knows a fixed list of operators and runs no code of the
file's maker. How long what it computes takes, and how much memory, is up to whoever chose it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..formats import onnx_header
from ..protocol import Device, InputError
from ..runtime.broken_imports import ran_out_of_memory
from ..runtime.threads import SEVERAL

log = logging.getLogger(__name__)
ADVICE = "Get the model from the list in Get a Model, or export it to ONNX again."
FLOATS = ("float32", "float16")
KINDS = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}
# graphics, in the order in which they are taken where the device may be other than the CPU
GRAPHICS = ("CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider")
CPU = "CPUExecutionProvider"
Shape = tuple[int | None, ...]  # None: of any size


@dataclass(frozen=True)
class Port:
    """An input or output as the model declares it."""

    name: str
    kind: str  # numpy's name
    shape: Shape

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{self.name} ({sizes}) {self.kind}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An input or output as a use of the model needs it. Sizes that are None may be any; a size of
    the model that is free fits all.
    """

    name: str = ""  # empty: whatever stands in this place
    kinds: tuple[str, ...] = FLOATS
    shapes: tuple[Shape, ...]  # any of these

    def fits(self, port: Port) -> bool:
        """Whether the port can be used so."""
        return port.kind in self.kinds and any(_is_like(port.shape, s) for s in self.shapes)

    def __str__(self) -> str:
        shapes = " or ".join(
            f"({', '.join('any' if size is None else str(size) for size in shape)})"
            for shape in self.shapes
        )
        return " ".join(part for part in (self.name, shapes, " or ".join(self.kinds)) if part)


@dataclass(frozen=True)
class OnnxModel:
    """A loaded model."""

    name: str  # of its file
    session: Any  # onnxruntime's, which has no types
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Every output by its name; floats of half the width come as float32.

        Raises:
            InputError: the model can't do this.
            MemoryError: it needs more memory than there is.
        """
        kinds = {port.name: port.kind for port in self.inputs}
        feeds = {
            name: np.ascontiguousarray(array, np.dtype(kinds[name]))
            for name, array in arrays.items()
        }
        try:
            values = self.session.run([port.name for port in self.outputs], feeds)
        except Exception as error:
            raise _explained(self.name, "can't be run", error) from error
        return {
            port.name: value.astype(np.float32) if value.dtype == np.float16 else value
            for port, value in zip(self.outputs, values, strict=True)
        }

    def demand(
        self, what: str, inputs: Sequence[Wanted], outputs: Sequence[Wanted]
    ) -> tuple[list[Port], list[Port]]:
        """The ports for the wanted inputs and outputs, in their order: by name, or by place where
        none is wanted. `what` begins with an article: "a depth model".

        Raises:
            InputError: one is missing, or of another kind or shape, or the model asks for more.
        """
        chosen = [
            self._port(what, "takes", self.inputs, wanted, place)
            for place, wanted in enumerate(inputs)
        ]
        if more := [port.name for port in self.inputs if port not in chosen]:
            raise InputError(
                f"{self.name} is not {what}: it asks for {', '.join(more)} too.", ADVICE
            )
        return chosen, [
            self._port(what, "gives", self.outputs, wanted, place)
            for place, wanted in enumerate(outputs)
        ]

    def _port(
        self, what: str, verb: str, ports: Sequence[Port], wanted: Wanted, place: int
    ) -> Port:
        named = [port for port in ports if port.name == wanted.name] if wanted.name else ports
        place = 0 if wanted.name else place
        if place < len(named) and wanted.fits(named[place]):
            return named[place]
        has = str(named[place]) if place < len(named) else "nothing of the kind"
        raise InputError(
            f"{self.name} is not {what}: it {verb} {has}, where {wanted} is needed.", ADVICE
        )


def _is_like(shape: Shape, wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        a is None or b is None or a == b for a, b in zip(shape, wanted, strict=True)
    )


def for_networks(wish: Device, device: str) -> str:
    """The device that networks run on, by what was asked for and what torch got of it: CUDA where
    torch has it; where it has not and anything is allowed, whatever else onnxruntime offers
    (DirectML, CoreML), which needs no gsplat.
    """
    return "cpu" if wish == "cpu" else device if device != "cpu" else "auto"


def providers(device: str, offered: Sequence[str]) -> list[str]:
    """Who computes: the graphics card by the first that is offered, where `device` is not "cpu",
    and the CPU for what that can't do.
    """
    wanted = {"cpu": (), "auto": GRAPHICS[1:]}.get(device, GRAPHICS)
    return [*[name for name in wanted if name in offered][:1], CPU]


def load(path: Path, device: str = "cpu") -> OnnxModel:
    """The model in a file.

    One thread, or as many as on any machine: four within an operation, whose parts never add to
    one another, give the same bytes as one.

    Raises:
        InputError: it is no ONNX model, names files outside its folder, or can't be run here.
    """
    import onnxruntime  # a tenth of a second, so only when it is needed

    facts = onnx_header.read(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = SEVERAL, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what goes wrong comes as an exception
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")
    chosen = providers(device, onnxruntime.get_available_providers())
    try:
        session = onnxruntime.InferenceSession(
            str(path) if facts.external else facts.data,
            options,
            providers=chosen,
            enable_fallback=0,  # it would print, and try the same again
        )
    except Exception as error:
        raise _explained(path.name, "is no ONNX model that can be used", error) from error
    log.info("%s runs on %s", path.name, ", ".join(session.get_providers()))
    return OnnxModel(
        path.name, session, _ports(path, session.get_inputs()), _ports(path, session.get_outputs())
    )


def _ports(path: Path, told: Sequence[Any]) -> tuple[Port, ...]:
    unknown = [port.type for port in told if port.type not in KINDS]
    if unknown:
        raise InputError(f"{path.name} takes or gives {unknown[0]}, which has no use here.", ADVICE)
    return tuple(
        Port(
            port.name,
            KINDS[port.type],
            tuple(size if isinstance(size, int) and size >= 0 else None for size in port.shape),
        )
        for port in told
    )


def _explained(name: str, what: str, error: Exception) -> Exception:
    """onnxruntime's own classes of errors share no base but Exception."""
    if ran_out_of_memory(error):
        return MemoryError(f"{name}: {error}")
    log.info("%s %s: %s", name, what, error)
    reason = " ".join(str(error).split())[:160]
    return InputError(f"{name} {what}: {reason}", ADVICE)
