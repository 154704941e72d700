"""D²_min beside that of matscipy, an implementation that is not ours, with the same neighbours."""

import numpy as np
import pytest
from ase import Atoms

from mlff.analysis.rearrangement.falk_langer import d2_min, reference_neighbours

N, EDGE, CUTOFF = 200, 14.0, 5.0


@pytest.fixture(scope="module")
def deformed():
    """A random structure, and the same sheared, with displacements of its own for each atom; cells of both."""
    rng = np.random.default_rng(0)
    cell, before = EDGE * np.eye(3), EDGE * rng.random((N, 3))
    shear = np.eye(3) + 0.02 * rng.normal(size=(3, 3))
    return before, before @ shear + 0.2 * rng.normal(size=(N, 3)), cell, cell @ shear


def test_given_the_same_neighbours_it_is_that_of_matscipy(deformed):
    atomic_strain = pytest.importorskip("matscipy.atomic_strain", reason="needs matscipy: pip install .[dev]").atomic_strain
    before, after, cell, sheared = deformed
    edges, shifts = reference_neighbours(before, cell, CUTOFF)
    order = np.argsort(edges[0], kind="stable")
    edges, shifts = edges[:, order], shifts[order]
    ours = d2_min(before, after, cell, sheared, edges, shifts)
    old, new = (Atoms(f"Li{N}", positions, cell=c, pbc=True) for positions, c in ((before, cell), (after, sheared)))
    _, theirs = atomic_strain(new, old, neighbours=tuple(edges))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert ours.min() > 0.1  # there is something to agree on
