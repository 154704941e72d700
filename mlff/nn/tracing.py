"""Whether code is being traced for a compiler, which wants what a person would not write: everything unrolled."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_TRACING: ContextVar[bool] = ContextVar("tracing", default=False)


def for_compiler() -> bool:
    """True inside torch.compile, and inside `tracing`."""
    return torch.compiler.is_compiling() or _TRACING.get()


@contextmanager
def tracing() -> Iterator[None]:
    """Around a trace that torch does not know to be one, such as make_fx."""
    token = _TRACING.set(True)
    try:
        yield
    finally:
        _TRACING.reset(token)
