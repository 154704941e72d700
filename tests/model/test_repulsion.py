import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.data.dataset import graph_of
from mlff.model.repulsion import ZBL
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
