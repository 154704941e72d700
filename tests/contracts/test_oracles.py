"""What every oracle promises, over conf/oracle/*.yaml: a label whose forces derive from its energy, and settings that name it."""

import json
import shutil
from pathlib import Path

import pytest
from ase import Atoms
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mlff.oracle.base import frame_key, settings_hash

CONF = Path(__file__).parents[2] / "conf" / "oracle"
# Each oracle's small, quick settings, the step of its differences (Å) and how far (eV/Å) they may be from its forces.
QUICK = {
    "xtb": ({"accuracy": 0.01}, 1e-3, 1e-4),
    "cp2k": ({"cutoff": 200.0, "rel_cutoff": 40.0, "dispersion_cutoff": 8.0, "eps_scf": 1e-7, "eps_default": 1e-12}, 1e-2, 0.02),
}
OTHERS = {"model"}  # a trained model: its own contract suite covers it


def oracles() -> list[str]:
    return sorted(path.stem for path in CONF.glob("*.yaml") if path.stem not in OTHERS)


def build(name: str):
    if name == "xtb":
        pytest.importorskip("tblite", reason="tblite is not installed (pip install .[xtb])")
    if name == "cp2k" and shutil.which("cp2k.psmp") is None:
        pytest.skip("cp2k.psmp is not installed (Debian: apt install cp2k)")
    assert name in QUICK, f"conf/oracle/{name}.yaml is new: give it an entry in QUICK"
    return instantiate(OmegaConf.merge(OmegaConf.load(CONF / f"{name}.yaml"), QUICK[name][0]), _convert_="all")


def molecule() -> Atoms:
    return Atoms("H2", [[0.1, 0.2, 0.3], [0.3, 0.4, 1.15]], cell=[[4.0, 0, 0], [0.3, 3.8, 0], [0, 0.2, 4.2]], pbc=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", oracles())
def test_forces_are_minus_the_slope_of_the_energy(name):
    oracle, (_, step, tolerance) = build(name), QUICK[name]
    label = oracle.label(molecule())
    energies = []
    for sign in (1, -1):
        moved = molecule()
        moved.positions[1, 2] += sign * step
        energies.append(oracle.label(moved).energy)
    assert label.forces[1, 2] == pytest.approx(-(energies[0] - energies[1]) / (2 * step), abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", oracles())
def test_a_label_is_complete_and_its_signs_are_right(name):
    oracle = build(name)
    atoms = molecule()
    before = atoms.copy()
    label = oracle.label(atoms)
    assert atoms == before  # the frame is left as it was
    assert (label.forces.shape, label.stress.shape) == ((2, 3), (3, 3))
    assert label.converged
    assert label.version == oracle.version
    assert label.settings_hash == settings_hash(oracle.settings)
    # a stretched bond: its atoms attract, and the cell is in tension along it, which is positive
    assert label.forces[0, 2] > 0 > label.forces[1, 2]
    assert label.stress[2, 2] > 0
    # −29 … −32 eV in every method with a hydrogen atom near −13.6 to −15.9 eV; in Hartree it would be −1.2
    assert -40 < label.energy < -20


@pytest.mark.parametrize("name", oracles())
def test_settings_name_the_label(name):
    oracle = build(name)
    assert json.loads(json.dumps(oracle.settings)) == oracle.settings
    key = frame_key(molecule(), oracle.settings, oracle.version)
    assert key == frame_key(molecule(), build(name).settings, oracle.version)
    moved = molecule()
    moved.positions[0, 0] += 1e-6
    assert frame_key(moved, oracle.settings, oracle.version) != key
    assert frame_key(molecule(), {**oracle.settings, "more": 1}, oracle.version) != key
    assert frame_key(molecule(), oracle.settings, "next") != key
