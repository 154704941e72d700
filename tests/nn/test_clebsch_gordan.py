import numpy as np
import pytest
import torch

from mlff.nn.clebsch_gordan import coupling, parity_even_paths
from mlff.nn.harmonics import solid_harmonics


@pytest.mark.parametrize("path", parity_even_paths(3))
def test_coefficients_are_those_of_e3nn(path):
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is not installed; it comes with `pip install .[dev]`")
    ours, theirs = coupling(*path), o3.wigner_3j(*path, dtype=torch.float64).numpy()
    sign = np.sign((ours * theirs).sum())
    np.testing.assert_allclose(ours, sign * theirs, atol=1e-12)


@pytest.mark.parametrize("path", parity_even_paths(3))
def test_coupled_harmonics_of_one_direction_are_harmonics(path):
    """[Y_l1(r) ⊗ Y_l2(r)]_l3 is parallel to Y_l3(r): a sign or an order of m that is wrong breaks it."""
    y = solid_harmonics(torch.randn(3, 9, dtype=torch.float64), 3)
    l1, l2, l3 = path
    product = torch.einsum("an,bn,abc->cn", y[l1], y[l2], torch.from_numpy(coupling(*path)))
    cosine = torch.nn.functional.cosine_similarity(product, y[l3], dim=0).abs()
    torch.testing.assert_close(cosine, torch.ones_like(cosine))


def test_odd_couplings_are_refused():
    with pytest.raises(ValueError, match="no parity-even coupling"):
        coupling(1, 1, 1)


def test_paths():
    paths = parity_even_paths(3)
    assert (1, 1, 1) not in paths
    assert {p for p in paths if p[2] == 0} == {(l, l, 0) for l in range(4)}
    assert all(l1 <= l2 and l2 - l1 <= l3 <= l1 + l2 for l1, l2, l3 in paths)
