"""How many cores one process uses."""

import torch

MOST = 4  # a batch of a few hundred atoms feeds no more


def set_threads(threads: int | None) -> None:
    """threads: of tensor operations and kernels; None for what OMP_NUM_THREADS or the machine gives, 4 at most."""
    torch.set_num_threads(threads or min(torch.get_num_threads(), MOST))
