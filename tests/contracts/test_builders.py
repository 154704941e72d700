"""What every builder promises, over conf/builder/*.yaml: the composition and charge asked for, no overlaps, and a seed that decides all."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mlff.geometry import neighbor_list
from mlff.structure import built
from mlff.structure.charge import formal_charge
from mlff.structure.distances import overlap_distance

CONF = Path(__file__).parents[2] / "conf" / "builder"
# Each builder's small settings, the formulas of what it then returns, and whether it draws anything.
QUICK = {
    "argyrodite": ({"halogen": "Br"}, ["Li24P4S20Br4"], False),
    "argyrodite_random": ({"repeat": [2, 1, 1]}, ["Li48P8S40Cl8"], True),
    "passive": ({"structures": ["Li4P2S6", "AgI_beta"], "n_rattled": 1}, ["Li4P2S6"] * 18 + ["Ag2I2"] * 18, True),
    "volumes": ({"structure": "AgI_alpha", "ratios": [0.9, 1.1]}, ["Ag2I2"] * 2, True),
    "orderings": ({"limit": 20, "n_structures": 2}, ["Li20Ge2P4S24"] * 2, True),
    "doping": ({}, ["Na47Sb15WS64"], True),
    "defects": ({"remove": [["Li", 2]], "add": [["Li", 2]]}, ["Li24P4S20Cl4"], True),
    "slab": ({"n_layers": 2}, ["Li48P8S40Cl8"], False),
    "crystal": ({}, ["Li24P4S20Cl4"], True),
    "glass": ({"units": {"PS4": 2, "P2S7": 1, "P2S6": 1}, "ion": "Na"}, ["Na14P6S21"], True),
    "grain_boundary": ({"structure": "Na3SbS4_cubic"}, ["Na60Sb20S80"], False),
}


def builders() -> list[str]:
    return sorted(path.stem for path in CONF.glob("*.yaml"))


def build(name: str, seed: int) -> list[Atoms]:
    assert name in QUICK, f"conf/builder/{name}.yaml is new: give it an entry in QUICK"
    return built(instantiate(OmegaConf.merge(OmegaConf.load(CONF / f"{name}.yaml"), QUICK[name][0]), _convert_="all"), seed)


@pytest.mark.parametrize("name", builders())
def test_composition_charge_distances_and_provenance(name):
    frames = build(name, 1)
    assert [atoms.symbols.formula.count() for atoms in frames] == [Atoms(formula).symbols.formula.count() for formula in QUICK[name][1]]
    for atoms in frames:
        assert atoms.pbc.all()
        assert (atoms.info["charge"], []) == formal_charge(atoms)
        (i, j), shifts = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, 4.0, half=True)
        distances = np.linalg.norm(atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i], axis=1)
        assert (distances > overlap_distance(atoms.numbers[i], atoms.numbers[j])).all()
        assert atoms.info["seed"] == 1
        assert atoms.info["parameters"].items() >= QUICK[name][0].items()


@pytest.mark.parametrize("name", builders())
def test_a_seed_decides_all_that_is_drawn(name):
    one, same, other = build(name, 1), build(name, 1), build(name, 2)
    for a, b in zip(one, same, strict=True):
        assert a == b
    drawn = [a != b for a, b in zip(one, other, strict=True)]
    assert any(drawn) == QUICK[name][2]
