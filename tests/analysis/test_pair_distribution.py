import numpy as np
import pytest
from ase.build import bulk

from mlff.analysis import PairDistributionAccumulator
from tests.analysis.trajectories import CELL, frames_of


def measured(species, positions, cells, **settings):
    accumulator = PairDistributionAccumulator(species, **settings)
    accumulator.update(frames_of(positions, cells))
    return accumulator.result()


def test_an_ideal_gas_has_no_structure(rng):
    """In a triclinic cell: 1 between species, 1 − 1/N within one, and as many neighbours as the density times the sphere."""
    n_frames, numbers = 60, {"A": 150, "B": 250}
    positions = rng.random((n_frames, 400, 3)) @ CELL
    found = measured(["A"] * 150 + ["B"] * 250, positions, CELL, r_max=8.0, width=0.5)
    for pair, expected in {("A", "A"): 1 - 1 / 150, ("A", "B"): 1.0, ("B", "B"): 1 - 1 / 250}.items():
        g, error = found.g[pair][4:], found.error[pair][4:]
        assert np.mean(np.abs(g - expected) < 2 * error) > 0.7
        assert g.mean() == pytest.approx(expected, abs=0.01)
    within = 4 / 3 * np.pi * found.edges[-1] ** 3 / np.linalg.det(CELL)
    for (a, b), coordination in found.coordination.items():
        assert coordination[-1] == pytest.approx(within * (numbers[b] - (a == b)), rel=0.02)


def test_the_volume_is_that_of_each_frame(rng):
    """An ideal gas in cells of two sizes: with the mean volume, g would be off by ⟨1/V⟩⟨V⟩ = 1.33."""
    cells = np.where(np.arange(40)[:, None, None] % 2, 1.0, 3.0 ** (1 / 3)) * CELL
    found = measured(["A"] * 300, rng.random((40, 300, 3)) @ cells, cells, r_max=9.0, width=1.0)
    assert found.g["A", "A"][3:].mean() == pytest.approx(1 - 1 / 300, abs=0.02)


@pytest.mark.parametrize("repeat", [1, 3])
def test_shells_of_a_crystal(repeat):
    """Rock salt of one cell of two atoms, far smaller than r_max, and of 54: shells and coordination are the same."""
    atoms = bulk("NaCl", "rocksalt", a=5.64).repeat(repeat)
    found = measured(atoms.get_chemical_symbols(), atoms.positions[None] + 500.0, atoms.cell.array, r_max=8.0, width=0.05)

    def within(pair, r):
        return found.coordination[pair][np.searchsorted(found.edges, r) - 1]

    assert [within(("Na", "Cl"), r) for r in (2.7, 3.0, 5.0, 6.5)] == [0, 6, 14, 38]
    assert [within(("Na", "Na"), r) for r in (3.9, 4.1, 5.8, 7.0)] == [0, 12, 18, 42]
    assert found.coordination["Cl", "Na"][-1] == found.coordination["Na", "Cl"][-1]
    peak = np.argmax(found.g["Cl", "Na"])
    assert found.r[peak] == pytest.approx(2.82, abs=0.05)
    shell = 4 / 3 * np.pi * np.diff(found.edges**3)[peak]
    assert found.g["Cl", "Na"][peak] == pytest.approx(6 / (shell * 4 / 5.64**3))


def test_only_every_stride_th_frame_is_counted(rng):
    positions = rng.random((10, 20, 3)) @ CELL
    species = ["A"] * 20
    chosen = measured(species, positions[::4], CELL)
    for size in (1, 3, 10):
        accumulator = PairDistributionAccumulator(species, stride=4)
        for begin in range(0, 10, size):
            accumulator.update(frames_of(positions[begin : begin + size]))
        found = accumulator.result()
        assert found.n_frames == 3
        np.testing.assert_array_equal(found.g["A", "A"], chosen.g["A", "A"])


def test_parts_of_any_stride_join(rng):
    positions = rng.random((60, 20, 3)) @ CELL
    whole, later = (PairDistributionAccumulator(["A"] * 20, stride=stride) for stride in (1, 2))
    whole.update(frames_of(positions[:40]))
    later.update(frames_of(positions[40:]))
    whole.merge(later)
    chosen = measured(["A"] * 20, np.concatenate([positions[:40], positions[40::2]]), CELL)
    assert whole.result().n_frames == 50
    np.testing.assert_allclose(whole.result().g["A", "A"], chosen.g["A", "A"], rtol=1e-12)


def test_what_has_no_distribution_is_refused():
    with pytest.raises(ValueError, match=r"expected r_max > width > 0"):
        PairDistributionAccumulator(["A"], r_max=0.01)
    with pytest.raises(ValueError, match="found no frame"):
        PairDistributionAccumulator(["A"]).result()
    with pytest.raises(ValueError, match=r"stored with r_max = 6\.0"):
        PairDistributionAccumulator(["A"]).merge(PairDistributionAccumulator(["A"], r_max=6.0))
