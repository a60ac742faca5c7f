"""ONNX files: what is run, what is refused, and that threads change no byte."""

import contextlib
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from helpers import tiny_onnx
from onnx import helper

from backend.formats import onnx_header
from backend.networks.onnx_model import Wanted, for_networks, load, providers
from backend.protocol import InputError


def test_a_model_is_run_on_arrays(tmp_path: Path) -> None:
    model = load(tiny_onnx.doubling(tmp_path / "m.onnx"))
    assert [str(p) for p in model.inputs] == ["x (1, 3) float32"]
    found = model.run(x=np.array([[1, 2, 3]]))["y"]  # of another kind: it is made to fit
    assert found.tolist() == [[3, 6, 9]]
    with pytest.raises(InputError, match=r"m.onnx can't be run"):
        model.run(x=np.zeros((2, 2)))


def test_declared_inputs_and_outputs_are_checked_once(tmp_path: Path) -> None:
    model = load(tiny_onnx.doubling(tmp_path / "m.onnx"))
    x, y = Wanted(shapes=((1, 3),)), Wanted(name="y", shapes=((None, None),))
    (port,), (out,) = model.demand("a doubler", [x], [y])
    assert port.name == "x" and out.kind == "float32"
    wrong: tuple[tuple[list[Wanted], list[Wanted], str], ...] = (
        ([Wanted(name="z", shapes=((1, 3),))], [y], "takes nothing of the kind, where z"),
        ([Wanted(shapes=((1, 4),))], [y], r"takes x \(1, 3\) float32, where \(1, 4\)"),
        ([Wanted(shapes=((1, 3),), kinds=("uint8",))], [y], "where .* uint8 is needed"),
        ([Wanted(shapes=((1, 3, 1), (3,)))], [y], r"\(1, 3, 1\) or \(3\)"),
        ([x], [Wanted(name="y", shapes=((1, 2),))], "gives y"),
        ([x], [y, Wanted(shapes=((1,),))], "gives nothing of the kind"),
        ([], [y], "asks for x too"),
    )
    for inputs, outputs, match in wrong:
        with pytest.raises(InputError, match=f"m.onnx is not a doubler: it .*{match}"):
            model.demand("a doubler", inputs, outputs)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\0" * 40, b"PK\3\4" + b"\0" * 99, b"\x80\x04\x95N.", b"\x3a\x7f"]
)
def test_what_is_no_onnx_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "n.onnx").write_bytes(data)
    with pytest.raises(InputError, match=r"n.onnx is no ONNX"):
        load(tmp_path / "n.onnx")


def test_pytorch_files_are_told_how_to_export(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(2)}, tmp_path / "n.pt")  # an archive, as TorchScript is
    torch.save({}, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    for name in ("n.pt", "w.pth"):
        with pytest.raises(InputError, match="can hold a program") as error:
            load(tmp_path / name)
        assert "torch.onnx.export" in error.value.advice


def test_every_harmed_file_is_refused_or_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = tiny_onnx.doubling(tmp_path / "m.onnx").read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / "h.onnx"
    harmed = [whole[:length] for length in range(0, len(whole), 7)]
    for _ in range(60):
        changed = bytearray(whole)
        for place in rng.integers(0, len(changed), 2):
            changed[place] = rng.integers(0, 256)
        harmed.append(bytes(changed))
    for data in harmed:
        path.write_bytes(data)
        with contextlib.suppress(InputError):  # and nothing else
            load(path)
    assert capfd.readouterr() == ("", ""), "onnxruntime prints nothing into a job's stream"


def test_pipes_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        load(tmp_path / "none.onnx")
    with pytest.raises(InputError, match="is a folder"):
        load(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "p.onnx")
        with pytest.raises(InputError, match="no ordinary file"):
            load(tmp_path / "p.onnx")


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    path = tiny_onnx.external(tmp_path / "m.onnx", "w.bin")
    with pytest.raises(InputError, match="There is no file"):
        load(path)
    (tmp_path / "w.bin").write_bytes(np.array([5, 6, 7], np.float32).tobytes())
    assert load(path).run(x=np.zeros((1, 3)))["y"].tolist() == [[5, 6, 7]]


@pytest.mark.parametrize(
    "name", ["../w.bin", "a/../../w.bin", "..\\w.bin", "", "link.bin", "sub/w.bin"]
)
def test_weights_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "w.bin").write_bytes(np.array([5, 6, 7], np.float32).tobytes())
    folder = tmp_path / "model"
    folder.mkdir()
    os.symlink(tmp_path / "w.bin", folder / "link.bin")
    os.symlink(tmp_path, folder / "sub")
    for location in (name, str(tmp_path / "w.bin")):
        path = tiny_onnx.external(folder / "m.onnx", location)
        with pytest.raises(InputError, match="names a file outside its own folder"):
            load(path)


def test_weights_elsewhere_are_found_deep_inside(tmp_path: Path) -> None:
    """In a graph within a node's attribute, and in a constant's tensor."""
    inner = onnx.load(
        str(tiny_onnx.external(tmp_path / "i.onnx", "../w.bin")), load_external_data=False
    )
    node = helper.make_node("If", ["c"], ["y"])
    branch = node.attribute.add()
    branch.name, branch.type = "then_branch", onnx.AttributeProto.GRAPH
    branch.g.CopyFrom(inner.graph)
    constant = helper.make_node("Constant", [], ["k"])
    value = constant.attribute.add()
    value.name, value.type = "value", onnx.AttributeProto.TENSOR
    value.t.CopyFrom(inner.graph.initializer[0])
    for hidden in (node, constant):
        model = helper.make_model(helper.make_graph([hidden], "g", [], []))
        (tmp_path / "o.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(InputError, match="outside its own folder"):
            onnx_header.read(tmp_path / "o.onnx")


def test_what_a_vendors_library_would_open_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("EPContext", [], ["y"], domain="com.microsoft", ep_cache_context="/x")
    model = helper.make_model(helper.make_graph([node], "g", [], []))
    (tmp_path / "e.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="compiled for one vendor's device"):
        load(tmp_path / "e.onnx")


def test_unknown_operators_are_one_sentence(tmp_path: Path) -> None:
    g = tiny_onnx.Graph()
    g.nodes.append(helper.make_node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib"))
    graph = helper.make_graph(
        g.nodes, "g", [helper.make_tensor_value_info("x", tiny_onnx.F, [1])],
        [helper.make_tensor_value_info("y", tiny_onnx.F, [1])],
    )  # fmt: skip
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.contrib", 1)],
    )
    (tmp_path / "p.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"p.onnx is no ONNX model that can be used"):
        load(tmp_path / "p.onnx")


def test_the_device_says_who_computes() -> None:
    offered = ["DmlExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    assert for_networks("cpu", "cpu") == "cpu"
    assert for_networks("auto", "cuda") == for_networks("cuda", "cuda") == "cuda"
    assert for_networks("auto", "cpu") == "auto"
    assert providers("cpu", offered) == ["CPUExecutionProvider"]
    assert providers("cuda", offered) == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers("auto", offered) == ["DmlExecutionProvider", "CPUExecutionProvider"]
    assert providers("cuda", ["CPUExecutionProvider"]) == ["CPUExecutionProvider"]
