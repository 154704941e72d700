import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.data.dataset import graph_of
from mlff.model.repulsion import ZBL
from mlff.nn.native import library
from mlff.nn.slots import arrange
from tests.checks import frame_of


def energy(symbols, r):
    graph = graph_of(frame_of(Atoms(symbols, [[0, 0, 0], [0, 0, r]])), ("Li", "P", "S"), 5.0)
    return float(ZBL(("Li", "P", "S"))(arrange(graph, 3, padding=6.0)).sum())


def test_bonded_atoms_feel_none_of_it():
    assert abs(energy("PS", 2.05)) < 1e-3  # eV; untapered it is 2.4 eV
    assert energy("PS", 2.13) == 0.0  # beyond the covalent radii, 1.07 + 1.05 Å


def test_short_distances_follow_the_published_function():
    z1, z2, r = 15, 16, 0.3
    x = r / (0.8854 * 0.529177 / (z1**0.23 + z2**0.23))
    screening = (
        0.18175 * np.exp(-3.1998 * x) + 0.50986 * np.exp(-0.94229 * x) + 0.28022 * np.exp(-0.4029 * x) + 0.02817 * np.exp(-0.20162 * x)
    )
    taper = (1 - r / 2.12) ** 4 * sum(c * (r / 2.12) ** k for k, c in enumerate((1, 4, 10, 20, 35)))
    assert energy("PS", r) == pytest.approx(14.399645 * z1 * z2 / r * screening * taper, rel=1e-5)


def test_it_repels_everywhere():
    r = torch.linspace(0.2, 2.0, 60).tolist()
    values = [energy("SS", x) for x in r]
    assert (np.diff(values) < 0).all()


@pytest.mark.parametrize("form", ["kernels", "tensors"])
def test_energies_and_pull_are_those_of_autograd(form, rng, monkeypatch):
    if form == "tensors":
        monkeypatch.setenv("MLFF_NATIVE", "0")
    elif library() is None:
        pytest.skip("no C++ compiler")
    symbols = rng.choice(["Li", "P", "S"], size=40)
    graph = graph_of(frame_of(Atoms(symbols, 5 * rng.random((40, 3)), cell=[7, 8, 9], pbc=True)), ("Li", "P", "S"), 5.0)
    hood = arrange(graph, 3, padding=6.0)
    vectors = hood.vectors.clone().requires_grad_()
    expected = ZBL(("Li", "P", "S"))(hood.moved(vectors))
    (expected_pull,) = torch.autograd.grad(expected.sum(), vectors)
    energies, pull = ZBL(("Li", "P", "S")).energies_and_pull(hood)
    assert (expected > 0).sum() > 20
    # sums of some ten terms
    torch.testing.assert_close(energies, expected, rtol=1e-13, atol=0)
    torch.testing.assert_close(pull, expected_pull, rtol=1e-11, atol=1e-13 * float(expected_pull.abs().max()))


def test_what_is_no_number_is_seen():
    hood = arrange(graph_of(frame_of(Atoms("PS", [[0, 0, 0], [0, 0, 1.5]])), ("Li", "P", "S"), 5.0), 3, padding=6.0)
    vectors = hood.vectors.clone()
    vectors[0, hood.filled] = torch.nan
    energies, pull = ZBL(("Li", "P", "S")).energies_and_pull(hood.moved(vectors))
    assert energies[hood.filled.any(0)].isnan().all()
    assert pull[:, hood.filled].isnan().all()
