"""Barriers of a study: kept as they are found, and not taken for those of another potential; what is told of them."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones

from softness.artefact import Softness
from softness.barriers import Band
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions
from softness.study import barriers as module
from softness.study.barriers import alike, barriers, medians

SETTINGS = {"spacing": 0.7, "fmax": 0.02, "steps": 200}


@pytest.fixture
def crystal(rng):
    """Argon, its plane fitted to noise: half of the atoms are soft. Rattled, so that they differ."""
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True).repeat(2)
    functions = RadialFunctions(("Ar",), first=3.0, last=5.0)
    features = functions.of_frame(atoms.positions + 0.3 * rng.normal(size=(32, 3)), atoms.cell.array, ["Ar"] * 32, np.arange(32))
    plane = Hyperplane(C=1.0).fit(features, np.arange(32) % 2)
    del atoms[5]  # a vacancy, beside which structures differ also when relaxed
    softness = Softness(plane, functions, "Ar")
    values = softness.of_frame(atoms.positions, atoms.cell.array, ["Ar"] * 31)
    plane.intercept_ -= np.median(values) * np.linalg.norm(plane.weights_)
    return atoms, softness


def test_bands_are_kept_and_taken_up(crystal, tmp_path, monkeypatch):
    atoms, softness = crystal
    calculator = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.0, smooth=True)
    kept = tmp_path / "barriers.json"
    found = barriers(atoms, softness, calculator, 3, SETTINGS, (3.0, 6.0), kept)
    assert len(found) == 3
    assert any(not band.trouble for band in found)
    monkeypatch.setattr(module, "band", None)  # nothing is computed again
    again = barriers(atoms, softness, calculator, 2, SETTINGS, (3.0, 6.0), kept)
    assert [vars(b) | {"path": 0, "energies": 0} for b in again] == [vars(b) | {"path": 0, "energies": 0} for b in found[:2]]
    with pytest.raises(TypeError):  # another potential relaxes to another structure
        barriers(atoms, softness, LennardJones(sigma=3.3, epsilon=0.0104, rc=5.0, smooth=True), 2, SETTINGS, (3.0, 6.0), kept)


def test_medians_and_what_they_say(rng):
    forward = 0.3 + 0.05 * rng.normal(size=40)
    bands = [Band(0, 1, 6.0, np.zeros((5, 3)), np.array([0, f / 2, f, f / 2, -0.2]), 0.01, 1, "") for f in forward]
    told = {n.name: n.estimate for n in medians(bands)}
    assert told["median barrier, soft to hard"].value == pytest.approx(np.median(forward))
    assert told["median barrier, hard to soft less soft to hard"].value == pytest.approx(0.2)
    interval = told["the same, 95 % of draws of paths, soft to hard"]
    assert interval.lower < np.median(forward) < interval.upper < 0.4
    assert "would come up with a probability of" in alike(bands)
    assert "3 paths tell little" in alike(bands[:3])
    assert not medians(bands[:3])[0].estimate.known
