"""A step of fixed sizes recorded once and replayed: on a GPU one CUDA graph instead of a launch for each kernel."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UP = 3  # libraries allocate and choose in their first calls, which a graph must not record


def captured(step: Callable[[], None], state: Sequence[Tensor]) -> Callable[[], None]:
    """The step as a CUDA graph where its state lies on a GPU, else the step itself.

    Args:
        step: reads and writes tensors that stay where they are; no sizes that depend on numbers, no copies to the CPU.
        state: everything that the step changes; as it was when this returns, although the step was run.
    """
    if state[0].device.type != "cuda":
        return step
    before = [tensor.clone() for tensor in state]
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    for tensor, value in zip(state, before, strict=True):
        tensor.copy_(value)
    return graph.replay
