"""A matrix on the channels of features, which leaves their other indices alone."""

from torch import Tensor


def linear_map(weight: Tensor, x: Tensor) -> Tensor:
    """y[…, c, m, i] = Σ_a W[…, c, a] x[…, a, m, i]: (…, n_out, n_in), (…, n_in, m, n_sites) → (…, n_out, m, n_sites)."""
    return (weight @ x.flatten(-2)).unflatten(-1, x.shape[-2:])
