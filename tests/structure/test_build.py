"""The contract of every builder: composition and charge as asked, no overlaps, periodic, the same structure from the same seed."""

from collections import Counter

import numpy as np
import pytest
from ase.formula import Formula
from ase.io import read, write

from mlff.geometry import classify, neighbor_list
from mlff.structure import prototype, structure, supercell
from mlff.structure.catalogue import prototypes, supercells
from mlff.structure.distances import exclusion_distance
from mlff.units import G_PER_CM3

# anions of one formula unit; S without a bond to P beside them
UNITS = {
    "AgI": {},
    "Li10GeP2S12": {"GeS4": 1, "PS4": 2},
    "Li6PS5Cl": {"PS4": 1, "S": 1},
    "Li6PS5Br": {"PS4": 1, "S": 1},
    "Li6PS5I": {"PS4": 1, "S": 1},
    "Na3SbS4": {"SbS4": 1},
    "Na3PS4": {"PS4": 1},
    "Li3PS4": {"PS4": 1},
    "LiBH4": {"BH4": 1},
    "Na2B10H10": {"B10H10": 1},
    "Na3OBH4": {"BH4": 1},
    "Na4P2S6": {"P2S6": 1},
    "Li4P2S6": {"P2S6": 1},
    "Na11Sn2PS12": {"PS4": 1, "SnS4": 2},
    "Li7P3S11": {"PS4": 1, "P2S7": 1},
}
CASES = [(name, None) for name in sorted([*prototypes(), *supercells()])] + [
    ("Li6PS5Cl", (3, 3, 3)),
    ("Li6PS5Br", (2, 2, 2)),
    ("Li6PS5I", (2, 2, 2)),
    ("Li10GeP2S12_disordered", (2, 2, 1)),
    ("Li3PS4_alpha_disordered", (3, 3, 3)),
    ("Na3OBH4_disordered", (3, 3, 3)),
]


def pairs(atoms):
    (i, j), shifts = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, 3.2, half=True)
    return atoms.numbers[i], atoms.numbers[j], np.linalg.norm(atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i], axis=1)


@pytest.mark.parametrize(("name", "repeat"), CASES)
def test_every_structure_keeps_the_contract(name, repeat):
    atoms = structure(name, repeat, seed=3)
    preset = supercells().get(name, {"prototype": name})
    crystal = prototypes()[preset["prototype"]]
    cells = int(np.prod(repeat or preset.get("repeat", 1)))
    units = crystal["formula_units"] * cells
    assert atoms.pbc.all()
    composition = Counter({symbol: count * units for symbol, count in Formula(crystal["formula"]).count().items()})
    anions = Counter({kind: count * units for kind, count in UNITS[crystal["formula"]].items()})
    for old, new, count in preset.get("replace", []):
        composition.update({old: -count, new: count})
        anions.update({f"{old}S4": -count, f"{new}S4": count})
    composition.subtract(preset.get("remove", {}))
    assert Counter(atoms.get_chemical_symbols()) == composition
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    assert Counter(found.counts()) + Counter(atoms.symbols[found.free]) == anions
    assert (found.others, found.percolating) == ((), ())
    first, second, distances = pairs(atoms)
    alike = first == second
    bonded = np.isin(first, [5, 15])  # B–B and P–P
    assert (distances > exclusion_distance(first, second))[alike & ~bonded].all()
    assert distances.min(initial=9) > 1.1  # Å: B–H is the shortest
    density = atoms.get_masses().sum() / atoms.get_volume() / G_PER_CM3
    assert density == pytest.approx(crystal["density"], rel=0.01)
    assert atoms.info["prototype"] == preset["prototype"]
    assert atoms.info["charge"] == 0
    assert atoms.info["reference"]


def test_the_supercells_have_the_published_numbers_of_atoms_and_lengths():
    for name, preset in supercells().items():
        assert len(structure(name)) == preset["atoms"], name
    lengths = {
        "Li3PS4_alpha_864": (25.93, 27.14, 25.43),
        "Na2B10H10_1056": (29.61, 19.74, 19.74),
        "Na4P2S6_gamma_648": (25.43, 25.43, 25.43),
        "Na11Sn2PS12_832": (27.23, 27.23, 27.22),
    }
    for name, expected in lengths.items():
        np.testing.assert_allclose(structure(name).cell.lengths(), expected, atol=0.005)  # Å, as printed
    assert structure("Na3SbS4_W_127").symbols.formula.count() == {"Na": 47, "Sb": 15, "W": 1, "S": 64}


@pytest.mark.parametrize("name", ["AgI_alpha_128", "Na3SbS4_W_127", "Li6PS5Cl", "Li10GeP2S12_disordered"])
def test_a_seed_decides_all_that_is_drawn(name):
    one, same, other = structure(name, seed=1), structure(name, seed=1), structure(name, seed=2)
    np.testing.assert_array_equal(one.numbers, same.numbers)
    np.testing.assert_array_equal(one.positions, same.positions)
    assert len(one) == len(other)
    assert {(z, *r) for z, r in zip(one.numbers, one.positions.tolist(), strict=True)} != {
        (z, *r) for z, r in zip(other.numbers, other.positions.tolist(), strict=True)
    }


def test_what_is_ordered_needs_no_generator_and_what_is_drawn_asks_for_one():
    assert len(prototype("Li7P3S11")) == 42
    assert len(supercell("LiBH4_768")) == 768
    with pytest.raises(ValueError, match=r"found partly occupied sites \(Ag1\) and no generator .* give rng="):
        prototype("AgI_alpha")
    with pytest.raises(ValueError, match="found dopants and no generator"):
        supercell("Na3SbS4_W_127")


def test_cells_of_a_drawn_supercell_differ(rng):
    atoms = supercell("AgI_alpha", (2, 2, 2), rng)
    cells = np.floor(atoms.get_scaled_positions() * 2 + 1e-9).astype(int)[atoms.symbols == "Ag"]
    inside = (atoms.positions[atoms.symbols == "Ag"] - cells * 5.063).round(3)
    assert len({tuple(sorted(map(tuple, inside[(cells == cell).all(1)].tolist()))) for cell in np.unique(cells, axis=0)}) > 1


def test_drawn_occupancies_are_the_nearest_whole_numbers_and_are_reported():
    found = structure("Li6PS5Cl", (3, 3, 3)).info["occupancies"]
    assert found["Li1"] == {"sites": 1296, "Li": 648}
    assert found["Cl4a/S4a"] == {"sites": 108, "Cl": 42, "S": 66}  # 108 × 0.3849 = 41.6
    assert found["S4d/Cl4d"] == {"sites": 108, "Cl": 66, "S": 42}
    # refined 0.54 of sites that exclude each other in pairs: one half is what can be
    split = structure("Li10GeP2S12_disordered", (2, 2, 1)).info["occupancies"]
    assert split["Li4"] == {"sites": 32, "Li": 16}
    assert sum(split[f"Li{k}"]["Li"] for k in (1, 2, 3, 4)) == 80


def test_provenance_survives_a_file(tmp_path):
    atoms = structure("AgI_alpha_128")
    write(tmp_path / "agi.extxyz", atoms)
    info = read(tmp_path / "agi.extxyz").info
    assert info["prototype"] == "AgI_alpha"
    assert info["occupancies"] == {"Ag1": {"sites": 384, "Ag": 64}}
    assert "Miyagawa" in info["used_in"]


@pytest.mark.parametrize(
    ("name", "meant"), [("Li3PS4_alpa_864", "Li3PS4_alpha_864"), ("li6ps5cl", "Li6PS5Cl"), ("Na3SbS4_W127", "Na3SbS4_W_127")]
)
def test_a_misspelt_name_is_answered_with_the_nearest(name, meant):
    with pytest.raises(
        ValueError, match=f"found no file or structure '{name}'; did you mean '{meant}'.*choose one of AgI_alpha, AgI_alpha_1024"
    ):
        structure(name)


def test_prototypes_and_supercells_are_told_apart():
    with pytest.raises(ValueError, match=r"found no supercell 'Li6PS5Cl'; .*choose one of AgI_alpha_1024"):
        supercell("Li6PS5Cl")
    with pytest.raises(ValueError, match="found no prototype 'AgI_alfa'; did you mean 'AgI_alpha'"):
        prototype("AgI_alfa")


def test_repeat_is_three_whole_numbers_of_a_prototype():
    for repeat in ((2, 2), (0, 1, 1), (1.5, 1, 1)):
        with pytest.raises(ValueError, match="expected three whole numbers of at least 1"):
            structure("AgI_beta", repeat)
    with pytest.raises(ValueError, match="'LiBH4_768', which is a supercell already; repeat its prototype 'LiBH4'"):
        structure("LiBH4_768", (2, 1, 1))
