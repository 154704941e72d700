"""Any file in place of a name: ordered ones as they are, partly occupied ones drawn and made neutral, torn ones refused."""

import re

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from mlff.structure import prototype, structure
from tests.structure.cif import cif


def silver_iodide(folder, occupancy):
    path = folder / "agi.cif"
    path.write_text(cif(a=5.063, group="I m -3 m", number=229, sites=f"I1 I 0 0 0 1\nAg1 Ag 0.25 0 0.5 {occupancy}"))
    return path


@pytest.mark.parametrize("occupancy", [0.1667, 0.17, 0.16])  # 64.0, 65.3 and 61.4 of 384 sites: the charge says 64
def test_a_partly_occupied_cif_is_drawn_to_a_neutral_cell(tmp_path, occupancy):
    path = silver_iodide(tmp_path, occupancy)
    atoms = structure(path, (4, 4, 2), seed=5)
    assert atoms.symbols.formula.count() == {"I": 64, "Ag": 64}
    assert (atoms.info["charge"], atoms.info["file"]) == (0, str(path))
    assert list(atoms.info["occupancies"].values()) == [{"sites": 384, "Ag": 64}]
    again, other = structure(path, (4, 4, 2), seed=5), structure(path, (4, 4, 2), seed=6)
    np.testing.assert_array_equal(atoms.positions, again.positions)
    assert abs(atoms.positions - other.positions).max() > 1
    silver = atoms[atoms.symbols == "Ag"]
    assert silver.get_all_distances(mic=True)[~np.eye(64, dtype=bool)].min() > 2.6  # neighbouring sites are 1.8 and 2.5 Å apart


def test_occupancies_far_from_neutral_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"formal charge of \+13 e, expected a neutral cell to within 5%.*correct the occupancies"):
        structure(silver_iodide(tmp_path, 0.2), (4, 4, 2))


def test_more_atoms_than_sites_that_exclude_each_other_can_hold_are_refused(tmp_path):
    path = tmp_path / "pairs.cif"  # two Li sites 1 Å apart, 0.75 of each
    path.write_text(cif(a=4.0, group="P 1", number=1, sites="Li1 Li 0 0 0 0.75\nLi2 Li 0.25 0 0 0.75\nCl1 Cl 0.5 0.5 0.5 1"))
    with pytest.raises(
        ValueError, match=r"atoms on sites that exclude each other, expected none, with \{'Li': 12\} on 16 sites; ask for fewer"
    ):
        structure(path, (2, 2, 2))


def test_orientations_of_an_anion_are_drawn_whole(tmp_path):
    path = tmp_path / "na3obh4.cif"
    sites = "O1 O 0 0 0 1\nNa1 Na 0.5 0 0 1\nB1 B 0.5 0.5 0.5 1\nH1 H 0.6544 0.6544 0.6544 0.5"
    path.write_text(cif(a=4.57, group="P m -3 m", number=221, sites=sites))
    atoms = structure(path, (3, 3, 3))
    hydrogen = atoms.positions[atoms.symbols == "H"]
    boron = atoms.positions[atoms.symbols == "B"]
    orientations = set()
    for centre in boron:
        bonds = (hydrogen - centre)[np.linalg.norm(hydrogen - centre, axis=1) < 1.5]
        assert len(bonds) == 4
        np.testing.assert_allclose(bonds.sum(0), 0, atol=1e-6)  # Å: a tetrahedron, not four corners of one face
        orientations.add(bool(np.prod(np.sign(bonds[0])) > 0))
    assert orientations == {True, False}


def test_pairs_refined_as_single_atoms_are_refused(data_folder):
    path = data_folder / "structures" / "Li4P2S6_P63mcm_disordered.cif"
    with pytest.raises(ValueError, match=r"sites of \['P'\] left a piece .*, expected whole anions; give an ordered structure"):
        structure(path, (2, 2, 2))


def test_an_ordered_file_stays_as_it_is(tmp_path):
    crystal = prototype("Na4P2S6_gamma")
    write(tmp_path / "x.extxyz", crystal)
    atoms = structure(tmp_path / "x.extxyz", (2, 1, 1))
    np.testing.assert_allclose(atoms.positions, crystal.repeat((2, 1, 1)).positions, atol=1e-7)
    assert (atoms.info["charge"], atoms.info["repeat"]) == (0, [2, 1, 1])
    write(tmp_path / "odd.extxyz", Atoms("TiO2", [[0, 0, 0], [0, 0, 1.9], [1.9, 0, 0]], cell=[6, 6, 6], pbc=True))
    assert structure(tmp_path / "odd.extxyz").info["charge"] is None
    assert atoms.info["prototype"] == "Na4P2S6_gamma"  # what the file knew of itself
    del crystal[0]
    write(tmp_path / "vacancy.extxyz", crystal)
    assert structure(tmp_path / "vacancy.extxyz").info["charge"] == -1


def test_overlapping_atoms_are_refused(tmp_path):
    path = tmp_path / "x.extxyz"
    write(path, Atoms("LiCl", [[0, 0, 0], [0, 0, 4.9]], cell=[5, 5, 5], pbc=True))  # through the boundary
    with pytest.raises(ValueError, match=re.escape(f"{path}: atoms 0 (Li) and 1 (Cl) lie 0.10 Å apart, expected at least 1.38 Å")):
        structure(path)


def test_every_crystal_file_of_the_reference_data_can_be_used(data_folder):
    torn = {"Li4P2S6_P63mcm_disordered.cif"}
    for path in sorted((data_folder / "structures").iterdir()):
        if path.name not in torn:
            assert structure(path, (2, 1, 1)).info["charge"] == 0, path.name
