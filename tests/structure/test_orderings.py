"""Ordered configurations of partly occupied sites: all of them, none twice, the lowest first."""

from itertools import combinations

import numpy as np
import pytest
from ase import Atoms

from mlff.structure import prototype
from mlff.structure.catalogue import prototypes
from mlff.structure.distances import exclusion_distance
from mlff.structure.ewald import electrostatic_energy
from mlff.structure.orderings import orderings
from mlff.structure.sites import sites_of_entry
from mlff.units import COULOMB
from tests.structure.cif import cif


def test_every_arrangement_of_silver_iodide_is_compared(rng):
    sites = sites_of_entry(prototypes()["AgI_alpha"])
    silver = np.flatnonzero(sites.orbit == sites.labels.index("Ag1"))
    iodine = np.flatnonzero(sites.orbit != sites.labels.index("Ag1"))
    energies = []
    for pair in combinations(silver, 2):
        atoms = Atoms("I2Ag2", sites.fractions[[*iodine, *pair]] @ sites.cell, cell=sites.cell, pbc=True)
        if atoms.get_distance(2, 3, mic=True) > exclusion_distance(np.array([47]), np.array([47]))[0]:
            energies.append(electrostatic_energy(sites.cell, atoms.positions, np.array([-1, -1, 1, 1])))
    frames = orderings("AgI_alpha", rng=rng)
    assert frames[0].info["enumerated"]
    assert frames[0].info["compared"] == sum(atoms.info["equivalents"] for atoms in frames) == len(energies)
    expected = np.unique(np.round(energies, 6), return_counts=True)
    assert [atoms.info["electrostatic_energy"] for atoms in frames] == pytest.approx(expected[0].tolist(), abs=1e-6)
    assert [atoms.info["equivalents"] for atoms in frames] == expected[1].tolist()
    lowest = frames[0]
    charges = np.where(lowest.symbols == "Ag", 1, -1)
    assert electrostatic_energy(lowest.cell.array, lowest.positions, charges) == pytest.approx(lowest.info["electrostatic_energy"])


def test_half_exchanged_argyrodite_has_two_orderings(tmp_path, rng):
    """Two X on 4a and two on 4c: 24 arrangements of one kind, 12 of the other."""
    sites = [
        "Li1 Li 0.0231 0.25 0.25 1", "P1 P 0.5 0.5 0.5 1", "S1 S 0.6155 0.6155 0.6155 1",
        "S2 S 0.25 0.25 0.25 0.5", "Cl2 Cl 0.25 0.25 0.25 0.5", "Cl1 Cl 0 0 0 0.5", "S3 S 0 0 0 0.5",
    ]  # fmt: skip
    path = tmp_path / "half.cif"
    path.write_text(cif(a=10.2795, group="F -4 3 m", number=216, sites="\n".join(sites)))
    frames = orderings(path, rng=rng)
    assert sorted(atoms.info["equivalents"] for atoms in frames) == [12, 24]
    assert [atoms.info["rank"] for atoms in frames] == [0, 1]
    assert all(atoms.info["charge"] == 0 and atoms.symbols.formula.count()["Cl"] == 4 for atoms in frames)
    # on sites that are not relaxed, pairs are the same in both
    assert frames[0].info["electrostatic_energy"] == pytest.approx(frames[1].info["electrostatic_energy"])


def test_charges_of_one_sign_stay_apart(tmp_path, rng):
    """Four sites in a row along c, two Li: neighbours have the highest energy, and the nearest to Cl the lowest."""
    path = tmp_path / "row.cif"
    row = "\n".join(f"Li{k} Li 0 0 {k / 4} 0.5" for k in range(4))
    path.write_text(cif(a=6, c=16, group="P 1", number=1, sites=row + "\nCl1 Cl 0.5 0.5 0 1\nCl2 Cl 0.5 0.5 0.5 1"))
    frames = orderings(path, rng=rng)
    heights = [tuple(np.round(4 * atoms.get_scaled_positions()[atoms.symbols == "Li"][:, 2]).astype(int)) for atoms in frames]
    assert frames[0].info["compared"] == 6
    assert sum(atoms.info["equivalents"] for atoms in frames) == 6
    assert heights[0] == (0, 2)  # beside the two Cl
    assert (np.diff(heights[-1]) % 4).item() in (1, 3)


def test_orientations_of_anions_are_enumerated_whole(rng):
    frames = orderings("Na3OBH4_disordered", (2, 2, 1), rng=rng)
    assert frames[0].info["compared"] == 16  # two orientations of each of four BH4
    assert frames[0].info["enumerated"]


def test_too_many_arrangements_are_drawn(rng):
    frames = orderings("Li10GeP2S12_disordered", n_structures=4, limit=60, rng=rng)
    assert not frames[0].info["enumerated"]
    assert frames[0].info["compared"] == 60
    energies = [atoms.info["electrostatic_energy"] for atoms in frames]
    assert energies == sorted(energies)
    assert all(atoms.symbols.formula.count() == {"Li": 20, "Ge": 2, "P": 4, "S": 24} for atoms in frames)


def test_charges_can_be_given_and_must_be_neutral(rng):
    doubled = orderings("AgI_alpha", charges={"Ag": 2, "I": -2}, rng=rng)[0].info["electrostatic_energy"]
    assert doubled == pytest.approx(4 * orderings("AgI_alpha", rng=rng)[0].info["electrostatic_energy"])
    assert abs(doubled) > COULOMB  # eV
    with pytest.raises(ValueError, match=r"found charges that sum to \+2 e, expected a neutral cell"):
        orderings("AgI_alpha", charges={"Ag": 2}, rng=rng)


def test_an_ordered_crystal_is_refused(rng, tmp_path):
    with pytest.raises(ValueError, match="Li7P3S11: found no partly occupied site, expected some to order; use builder=crystal"):
        orderings("Li7P3S11", rng=rng)
    prototype("AgI_beta").write(tmp_path / "x.cif")
    with pytest.raises(ValueError, match=r"x\.cif: found no partly occupied site"):
        orderings(tmp_path / "x.cif", rng=rng)
    with pytest.raises(ValueError, match="found no file or prototype 'AgI_alpa'; did you mean 'AgI_alpha'"):
        orderings("AgI_alpa", rng=rng)
