import pytest
import torch

from mlff.nn.harmonics import solid_harmonics


def test_harmonics_are_those_of_e3nn():
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is not installed; it comes with `pip install .[dev]`")
    r = torch.randn(3, 50, dtype=torch.float64)
    for l, ours in enumerate(solid_harmonics(r, 3)):
        # e3nn's polar axis is y: its (x, y, z) are our (y, z, x)
        theirs = o3.spherical_harmonics(l, r[[1, 2, 0]].T, normalize=False, normalization="norm")
        torch.testing.assert_close(ours.T, theirs, atol=1e-12, rtol=0)


def test_unit_length_and_order():
    r = torch.randn(3, 20, dtype=torch.float64)
    for l, shell in enumerate(solid_harmonics(r, 3)):
        torch.testing.assert_close(shell.square().sum(0), r.norm(dim=0) ** (2 * l))
    torch.testing.assert_close(solid_harmonics(r, 1)[1], r[[1, 2, 0]])


def test_l_max_is_bounded():
    with pytest.raises(ValueError, match="expected 0 to 3"):
        solid_harmonics(torch.zeros(3, 1), 4)
