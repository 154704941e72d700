"""The compiled kernels as functions; a call releases the interpreter."""

import ctypes
import logging
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from mlff.nn.harmonics import L_MAX
from mlff.nn.native.build import build
from mlff.nn.native.coupling_source import coupling_source
from mlff.nn.tracing import for_compiler

log = logging.getLogger(__name__)

DTYPES = (torch.float32, torch.float64)

_pointer, _count = ctypes.c_void_p, ctypes.c_int64
_per_l = _pointer * (L_MAX + 1)


class Edges(ctypes.Structure):
    """As in interface.h."""

    _fields_ = [
        ("l_max", ctypes.c_int32),
        ("n_radial", ctypes.c_int32 * (L_MAX + 1)),
        ("r_cut", ctypes.c_double * (L_MAX + 1)),
        ("n_threads", ctypes.c_int32),
        ("n_species", ctypes.c_int32),
        ("n_slots", _count),
        ("n_sites", _count),
        ("slots_per_species", _pointer),
        ("vectors", _pointer),
    ]


class Product(ctypes.Structure):
    """As in product.cpp."""

    _fields_ = [
        ("l_max", ctypes.c_int32),
        ("n_threads", ctypes.c_int32),
        ("n_members", _count),
        ("n_channels", _count),
        ("n_sites", _count),
    ]


class Exchange(ctypes.Structure):
    """As in exchange.cpp."""

    _fields_ = [("n_threads", ctypes.c_int32), ("n_rows", _count), ("n_slots", _count), ("n_sites", _count)]


_edges, _product, _exchange = ctypes.POINTER(Edges), ctypes.POINTER(Product), ctypes.POINTER(Exchange)
ARGUMENTS = {
    "densities": [_edges, _per_l],
    "hop": [_edges, _count, _count, _pointer, _per_l],
    "into_weights": [_edges, _count, _count, _per_l, _pointer],
    "pull": [_edges, _count, _per_l, _count, _pointer, _per_l, _pointer],
    "density_rates": [_edges, _count, _pointer, _per_l],
    "moving_hop": [_edges, _count, _pointer, _count, _pointer, _pointer, _per_l, _per_l],
    "moving_hop_backward": [_edges, _count, _pointer, _count, _per_l, _per_l, _pointer, _pointer],
    "square": [_product, _per_l, _pointer, _per_l],
    "couple": [_product, _per_l, _per_l, _pointer, _per_l],
    "adjoint": [_product, _per_l, _per_l, _pointer, _per_l],
    "into_path_weights": [_product, _per_l, _per_l, _per_l, _pointer],
    "block": [_pointer, _pointer, _pointer, _pointer, _pointer],
    "block_backward": [_pointer, _pointer, _pointer, _pointer, _pointer, _pointer, _pointer],
    "mlp": [_pointer, _pointer, _pointer, _pointer, _pointer, _pointer, _pointer],
    "mlp_backward": [_pointer, _pointer, _pointer, _pointer, _pointer, _pointer, _pointer, _pointer, _pointer],
    "collect": [_pointer] * 8,
    "evaluate_lean": [_pointer],
    "evaluate_lean2": [_pointer],
    "repulsion": [_pointer, _pointer, _pointer, _pointer],
    "to_edges": [_exchange, _pointer, _pointer, _pointer],
    "from_edges": [_exchange, _pointer, _pointer, _pointer],
    "count_slots": [_pointer] * 7,
    "fill_slots": [_pointer] * 10,
    "reverse": [_pointer] * 7,
    "edge_vectors": [_pointer] * 4,
}
OF_WHOLE_NUMBERS = ("count_slots", "fill_slots", "reverse")


class Library:
    """The kernels of each dtype: `library.call("densities", dtype, …)`, with None for those of whole numbers.

    path: of the shared library, for programs of other languages.
    """

    def __init__(self, path: Path):
        self.path = path
        found = ctypes.CDLL(str(path))
        self._functions = {}
        for name, arguments in ARGUMENTS.items():
            for dtype in (None,) if name in OF_WHOLE_NUMBERS else DTYPES:
                function = getattr(found, name if dtype is None else f"{name}_{str(dtype).removeprefix('torch.')}")
                function.argtypes, function.restype = arguments, None
                self._functions[name, dtype] = function

    def call(self, name: str, dtype: torch.dtype | None, *arguments) -> None:
        function = self._functions[name, dtype]
        # ctypes would pass what is one too many as an int, half an address
        assert len(arguments) == len(function.argtypes), f"{name} takes {len(function.argtypes)} arguments, found {len(arguments)}"
        function(*arguments)


def library() -> Library | None:
    """The kernels, compiled at the first call; None, with a warning, where that cannot be, and where MLFF_NATIVE is 0."""
    return None if os.environ.get("MLFF_NATIVE") == "0" else _library()


def library_for(tensor: Tensor) -> Library | None:
    """The kernels where they serve the tensor's device and dtype; None while code is traced, because a compiler fuses by itself."""
    return library() if not for_compiler() and tensor.device.type == "cpu" and tensor.dtype in DTYPES else None


@lru_cache(maxsize=1)
def _library() -> Library | None:
    folder = Path(__file__).parent
    written = {file.name: file.read_text() for file in sorted(folder.iterdir()) if file.suffix in (".cpp", ".h")}
    path = build(written | {"coupling.h": coupling_source()})
    if path is None:
        return None
    try:
        return Library(path)
    except OSError as error:
        log.warning("%s could not be loaded: %s; set MLFF_CACHE to a folder from which programs may run", path, error)
        return None


def address(tensor: Tensor) -> int:
    """Of a contiguous tensor; the caller keeps it alive during the call."""
    assert tensor.is_contiguous()
    return tensor.data_ptr()


def addresses(shells: Sequence[Tensor]) -> ctypes.Array:
    """Of one tensor for each l."""
    return _per_l(*(address(shell) for shell in shells))
