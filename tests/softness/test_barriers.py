"""Barriers: known ones, the identity of the two ways, and paths that are not to be counted."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms

from softness.barriers import _maxima, band, hop, pairs


class MullerBrown(Calculator):
    """The surface of Müller and Brown (Theor. Chim. Acta 53, 75, 1979), in hundredths, so that forces are of the size of eV/Å."""

    implemented_properties = ("energy", "forces")
    A, a, b, c = (np.array(x) for x in ((-200, -100, -170, 15), (-1, -1, -6.5, 0.7), (0, 0, 11, 0.6), (-10, -10, -6.5, 0.7)))
    x0, y0 = np.array((1, 0, -0.5, -1)), np.array((0, 0.5, 1.5, 1))

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        (x, y, z), *_ = self.atoms.positions
        dx, dy = x - self.x0, y - self.y0
        terms = self.A * np.exp(self.a * dx**2 + self.b * dx * dy + self.c * dy**2)
        slope = [(terms * (2 * self.a * dx + self.b * dy)).sum(), (terms * (self.b * dx + 2 * self.c * dy)).sum(), 100 * z]
        forces = np.zeros((len(self.atoms), 3))
        forces[0] = -np.array(slope) / 100
        self.results = {"energy": (terms.sum() + 50 * z**2) / 100, "forces": forces}


MINIMA = {(0.623, 0.028, 0): -108.167, (-0.558, 1.442, 0): -146.700}  # the third, of the middle well, is −80.768


def particle_to(place):
    """Ends of a path that are given, not a place another leaves."""

    def ends(atoms, ion, target):
        after = atoms.copy()
        after.positions[ion] = place
        return atoms.copy(), after

    return ends


def test_saddles_of_muller_and_brown():
    """From the shallow middle well each side has one saddle; between the deep wells the path has two maxima and is flagged."""
    for place, start, saddle in (
        ((0.623, 0.028, 0), (-0.05, 0.467, 0), -72.249),
        ((-0.558, 1.442, 0), (-0.05, 0.467, 0), -40.665),
    ):
        found = band(Atoms("H", [start]), 0, 1, MullerBrown(), spacing=0.1, fmax=0.01, steps=500, ends=particle_to(place))
        assert found.trouble == ""
        begin = Atoms("H", [found.path[0]], calculator=MullerBrown())
        assert 100 * (begin.get_potential_energy() + found.forward) == pytest.approx(saddle, abs=0.1)
        assert found.forward - found.back == pytest.approx((MINIMA[place] + 80.768) / 100, abs=1e-3)
    whole = band(
        Atoms("H", [(-0.558, 1.442, 0)]), 0, 1, MullerBrown(), spacing=0.1, fmax=0.02, steps=500, ends=particle_to((0.623, 0.028, 0))
    )
    assert whole.maxima == 2
    assert whole.trouble == "the path has 2 maxima: it leads through a site in between"


def test_gold_on_aluminium():
    """Au hops between hollows of Al(001): 0.374 eV with EMT, as in ASE's own example."""
    slab = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.center(axis=2, vacuum=4.0)
    slab.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in slab]))
    gold = len(slab) - 1
    place = slab.positions[gold] + [slab.cell[0, 0] / 2, 0, 0]
    found = band(slab, gold, len(slab), EMT(), spacing=0.7, fmax=0.05, ends=particle_to(place))
    assert found.trouble == ""
    assert found.forward == pytest.approx(0.374, abs=0.005)
    assert found.back == pytest.approx(found.forward, abs=0.01)


def test_an_ion_takes_the_place_that_another_leaves():
    """Across the boundary, of the image that is nearest; the other ion is missing before and after."""
    atoms = Atoms("Li2S", [[0.5, 1, 1], [9.5, 1, 1], [5, 5, 5]], cell=[10, 10, 10], pbc=True)
    before, after = hop(atoms, 0, 1)
    assert before.get_chemical_formula() == after.get_chemical_formula() == "LiS"
    np.testing.assert_allclose(after.positions[0], [-0.5, 1, 1])
    with pytest.raises(ValueError, match="expected two different ions of one species"):
        hop(atoms, 0, 2)


def test_a_vacancy_of_a_crystal_moves():
    """In an fcc crystal of Lennard-Jones atoms both ends are alike: no difference, and one barrier for both ways."""
    from ase.build import bulk

    crystal = bulk("Ar", "fcc", a=5.25, cubic=True).repeat(2)
    calculator = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.2, smooth=True)
    found = band(crystal, 0, int(crystal.get_distances(0, range(1, 32), mic=True).argmin()) + 1, calculator, fmax=0.005)
    assert found.trouble == ""
    assert found.forward == pytest.approx(found.back, abs=1e-3)
    assert 0.03 < found.forward < 0.15
    assert found.length == pytest.approx(5.25 / np.sqrt(2), abs=0.4)


def test_ends_in_one_site_are_flagged():
    found = band(Atoms("H", [(-0.558, 1.442, 0)]), 0, 1, MullerBrown(), fmax=0.01, ends=particle_to((-0.5, 1.4, 0)))
    assert found.trouble.startswith("both ends relax to one site")
    assert np.isnan(found.forward)


def test_a_path_without_a_maximum_is_flagged():
    """An end that is no site: held halfway up the side of a well."""
    from ase.constraints import FixAtoms as Held

    atoms = Atoms("H", [(-0.558, 1.442, 0)])

    def ends(atoms, ion, target):
        after = atoms.copy()
        after.positions[0] = (-0.9, 1.9, 0)
        after.set_constraint(Held([0]))
        return atoms.copy(), after

    found = band(atoms, 0, 1, MullerBrown(), spacing=0.1, fmax=0.05, ends=ends)
    assert found.trouble == "the path has no maximum inside: one end is no site"


def test_what_is_not_relaxed_or_goes_astray_is_flagged():
    start, place = (-0.05, 0.467, 0), (0.623, 0.028, 0)
    short = band(Atoms("H", [start]), 0, 1, MullerBrown(), spacing=0.1, fmax=0.001, steps=2, ends=particle_to(place))
    assert short.trouble == "an end was not relaxed to 0.001 eV/Å in 2 steps"
    far = band(Atoms("H", [(-2.2, 2.6, 0)]), 0, 1, MullerBrown(), spacing=0.1, fmax=0.05, steps=500, ends=particle_to(place))
    assert "Å while an end was relaxed" in far.trouble


def test_a_ripple_is_no_maximum():
    assert _maxima(np.array([0, 0.3, 0.295, 0.31, 0.1])) == 1
    assert _maxima(np.array([0, 0.3, 0.1, 0.31, 0.05])) == 2
    assert _maxima(np.array([0.0, 0.1, 0.2])) == 0


def test_pairs_are_soft_and_hard_and_so_far_apart(rng):
    atoms = Atoms("Li60", rng.random((60, 3)) * 16, cell=[16] * 3, pbc=True)
    softness = rng.normal(size=60)
    found = pairs(atoms, range(60), softness, 12)
    assert len(set(found)) == 12
    assert len({ion for pair in found for ion in pair}) == 24
    for soft, hard in found:
        assert softness[soft] > 0 > softness[hard]
        assert 5 <= atoms.get_distance(soft, hard, mic=True) <= 10
    assert pairs(atoms, range(60), softness, 12, 0.0, 0.1) == []
    assert pairs(atoms, range(60), abs(softness), 12) == []
