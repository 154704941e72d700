import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.anions.anion_distance import AnionDistanceAccumulator
from mlff.units import K_B
from tests.analysis.trajectories import CELL, frames_of
from tests.contracts.observables import TETRAHEDRON

BODY = np.concatenate([np.zeros((1, 3)), TETRAHEDRON])
SHARP = np.array([[9.0, 0, 0], [6.0, 7.0, 0], [5.0, 4.0, 8.0]])  # rounded fractions are not its shortest images


def system_of(centres: np.ndarray, n_ions: int, cell: np.ndarray, temperature: float | None = None) -> tuple[System, np.ndarray]:
    """PS4 at fractions, and ions; also the positions of the anions' atoms."""
    atoms = (centres @ cell)[:, None] + BODY
    positions = np.concatenate([atoms.reshape(-1, 3), np.zeros((n_ions, 3))])
    symbols = ("P", "S", "S", "S", "S") * len(centres) + ("Li",) * n_ions
    masses = np.array([{"P": 30.974, "S": 32.06, "Li": 6.94}[symbol] for symbol in symbols])
    return System(symbols, masses, positions, cell, "Li", 1.0, temperature=temperature), atoms.reshape(-1, 3)


def measured(centres, ions, cell, temperature=None, rng=None, **settings):
    """ions: (n_frames, n, 3), Å."""
    system, bodies = system_of(centres, ions.shape[1], cell, temperature)
    positions = np.concatenate([np.broadcast_to(bodies, (len(ions), *bodies.shape)), ions], axis=1)
    if rng is not None:
        positions = positions + rng.integers(-2, 3, size=positions.shape) @ cell
    accumulator = AnionDistanceAccumulator.of(system, **settings)
    accumulator.update(frames_of(positions, cell))
    return accumulator.result()


@pytest.mark.parametrize("cell", [CELL, SHARP], ids=["skewed", "sharp"])
def test_the_nearest_image_counts_in_any_cell(cell, rng):
    """Wrapped anyhow, an anion across the boundary is put in one piece; against a search of all images."""
    centres, ions = np.array([[0.98, 0.5, 0.01]]), rng.random((30, 20, 3)) @ cell
    found = measured(centres, ions, cell, rng=rng, r_max=30.0, width=0.5)
    images = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3), axis=-1).reshape(-1, 3) @ cell
    nearest = np.linalg.norm(ions.reshape(-1, 1, 3) - centres @ cell - images, axis=2).min(1)
    assert found.mean["PS4"].value == pytest.approx(nearest.mean(), rel=1e-12)
    histogram = np.histogram(nearest, found.edges)[0] / nearest.size / 0.5
    np.testing.assert_allclose(found.probability["PS4"], histogram, atol=1e-12)


def test_ions_that_feel_nothing_have_no_free_energy(rng):
    """By volume it is flat at any distance; by the sphere it is flat up to half the distance of two anions and rises behind."""
    cell = np.eye(3) * 9.0
    found = measured(np.array([[0.2, 0.3, 0.4]]), rng.random((300, 60, 3)) @ cell, cell, 600.0, width=0.25)
    inside, corner = (found.r > 1) & (found.r < 4.5), (found.r > 4.6) & (found.r < 6.8)
    level = K_B * 600.0
    by_volume, error = found.free_energy_by_volume["PS4"], found.free_energy_by_volume_error["PS4"]
    for part in (inside, corner):
        middle = np.median(by_volume[inside])
        assert np.mean(np.abs(by_volume[part] - middle) < 2 * error[part]) > 0.7
    by_sphere = found.free_energy["PS4"]
    assert np.ptp(by_sphere[inside]) < 0.4 * level
    assert by_sphere[corner].min() > np.median(by_sphere[inside])
    assert by_sphere[corner][-2] > np.median(by_sphere[inside]) + level
    assert found.unit == "eV"
    assert found.beyond["PS4"] == 0  # the corner of the cube, 7.8 Å


def test_a_shell_of_ions_is_where_it_is(rng):
    """Ions at exactly 3.3 Å: a probability of 1 in one bin, and no free energy elsewhere; without a temperature in kT."""
    centre = np.array([[0.5, 0.5, 0.5]])
    direction = rng.normal(size=(50, 8, 3))
    ions = centre @ CELL + 3.3 * direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    found = measured(centre, ions, CELL, width=0.2)
    assert found.mean["PS4"].value == pytest.approx(3.3)
    assert found.mean["PS4"].error == pytest.approx(0, abs=1e-9)
    assert (found.probability["PS4"] * 0.2).sum() == pytest.approx(1)
    assert np.flatnonzero(np.isfinite(found.free_energy["PS4"])).tolist() == [16]
    assert found.unit == "kT"


def test_the_jacobian_is_that_of_the_sphere(rng):
    """A harmonic well around the anion, F = r²/2s² kT: drawn as a Gaussian in space, whose distances have their maximum at √2 s."""
    cell, s = np.eye(3) * 12.0, 1.0
    centre = np.array([[0.5, 0.5, 0.5]])
    ions = centre @ cell + s * rng.normal(size=(400, 100, 3))
    found = measured(centre, ions, cell, width=0.2)
    near = (found.r > 0.3) & (found.r < 3)
    for energy, error in (
        (found.free_energy["PS4"][near], found.free_energy_error["PS4"][near]),
        (found.free_energy_by_volume["PS4"][near], found.free_energy_by_volume_error["PS4"][near]),
    ):
        off = energy - found.r[near] ** 2 / (2 * s**2)
        assert (np.abs(off - np.median(off)) < 3.5 * error + 0.02).all()  # 0.02: the mean over a bin is not the value in its middle
    assert found.free_energy_error["PS4"][near].max() < 0.2
    assert found.r[np.argmax(found.probability["PS4"])] == pytest.approx(np.sqrt(2), abs=0.21)


def test_what_has_no_anions_is_refused():
    system, _ = system_of(np.array([[0.5, 0.5, 0.5]]), 1, CELL)
    with pytest.raises(ValueError, match="expected r_max > width > 0"):
        AnionDistanceAccumulator.of(system, r_max=0.05)
    with pytest.raises(ValueError, match="found no frame"):
        AnionDistanceAccumulator.of(system).result()
    with pytest.raises(ValueError, match="the temperature is -1"):
        AnionDistanceAccumulator.of(system, temperature=-1)
    with pytest.raises(ValueError, match="found frames of 2 atoms, expected 6"):
        AnionDistanceAccumulator.of(system).update(frames_of(np.zeros((1, 2, 3))))
    with pytest.raises(ValueError, match="found 0 ions and 1 anions"):
        AnionDistanceAccumulator(system.symbols, [], system.anions, system.numbers, system.masses)
    with pytest.raises(NotApplicable, match="found no polyatomic anion"):
        AnionDistanceAccumulator.of(System(("Ag", "I"), np.ones(2), np.zeros((2, 3)), CELL, "Ag", 1.0))
    with pytest.raises(NotApplicable, match="found no Na"):
        AnionDistanceAccumulator.of(System(system.symbols, system.masses, system.positions, CELL, "Na", 1.0))
