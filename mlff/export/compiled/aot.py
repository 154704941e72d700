"""Compiling ahead of time: a module traced with sizes left open, compiled by AOTInductor into one .pt2 file, and kept."""

import hashlib
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from mlff.cache_folder import cache_folder, one_at_a_time
from mlff.nn.native.build import no_compiler
from mlff.nn.tracing import tracing

log = logging.getLogger(__name__)

PURPOSE = "compiling a model needs"
# one C++ file instead of twenty halves the time of compilation, and large fusions keep intermediate results in registers
OPTIONS = {"max_fusion_size": 1000, "cpp_wrapper": True}


def compile_module(module: nn.Module, inputs: Sequence, dynamic: Sequence, path: Path, key: str) -> Path:
    """Write a .pt2 file that computes what the module computes, for any sizes of the dimensions left open.

    Args:
        module: pure tensor code on one device; its weights go into the file.
        inputs: an example; open dimensions must all differ, and none may be shorter than 2: a tracer takes equal ones for the same.
        dynamic: for each input the numbers of its open dimensions, nested like the inputs.
        key: names what was compiled; where the same was compiled before by this version of torch, that file is copied.
    Raises:
        FileNotFoundError: there is no C++ compiler.
    """
    if reason := no_compiler(PURPOSE):
        raise FileNotFoundError(reason)
    kept = cache_folder() / "compiled" / f"{_digest(module, key)}.pt2"
    with one_at_a_time(kept):
        if not kept.exists():
            _keep(module, inputs, dynamic, kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    shutil.copyfile(kept, part)
    os.replace(part, path)
    return path


def _keep(module: nn.Module, inputs: Sequence, dynamic: Sequence, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        os.replace(_compile(module, tuple(inputs), tuple(dynamic), Path(scratch) / "model.pt2"), path)


def _compile(module: nn.Module, inputs: tuple, dynamic: tuple, path: Path) -> str:
    flat, structure = pytree.tree_flatten(inputs)

    def flattened(*tensors):
        return module(*pytree.tree_unflatten(tensors, structure))

    # by make_fx first: torch.export cannot see through torch.func
    with torch.no_grad(), tracing():
        graph = make_fx(flattened, tracing_mode="symbolic", _allow_non_fake_inputs=True)(*flat)
    open_dimensions = pytree.tree_flatten(dynamic, is_leaf=lambda node: isinstance(node, frozenset))[0]
    shapes = tuple(dict.fromkeys(numbers, torch.export.Dim.AUTO) for numbers in open_dimensions)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own deprecations
        program = torch.export.export(graph, tuple(flat), dynamic_shapes=shapes, prefer_deferred_runtime_asserts_over_guards=True)
        return torch._inductor.aoti_compile_and_package(program, package_path=str(path), inductor_configs=OPTIONS)


def _digest(module: nn.Module, key: str) -> str:
    """Of everything that the file depends on: the weights, what was compiled, torch and the device."""
    digest = hashlib.sha256(f"{key} torch {torch.__version__} {_device_name(module)}".encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:24]


def _device_name(module: nn.Module) -> str:
    device = next(module.parameters()).device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu {torch.backends.cpu.get_cpu_capability()}"
