import numpy as np
import pytest

from mlff.analysis import MeanSquareDisplacement, NotApplicable, System, tracer_diffusivity
from mlff.analysis.vibrations.vibrations import VibrationsAccumulator
from mlff.trajectory import Series
from mlff.units import AMU, CM2_PER_S, K_B, PER_CM
from tests.analysis.trajectories import CELL, frames_of

MASSES = {"Na": 22.99, "S": 32.06, "Li": 6.94, "H": 1.008}
SPACING = 10.0  # fs
TEMPERATURE = 300.0


def series_of(velocities: np.ndarray, every: int = 1) -> Series:
    return Series(every * np.arange(len(velocities)), {"velocities": velocities})


def measured(species, velocities, n_lags=400, every=1, **settings):
    masses = np.array([MASSES[symbol] for symbol in species])
    accumulator = VibrationsAccumulator(species, masses, SPACING / every, n_lags, **settings)
    accumulator.update(series_of(velocities, every))
    return accumulator.result()


def oscillations(rng, wavenumbers: np.ndarray, masses: np.ndarray, n_frames: int) -> np.ndarray:
    """Harmonic motion of any shape of degrees of freedom with the mean kinetic energy ½ kT each → (n_frames, …), Å/fs."""
    phase = 2 * np.pi * rng.random(wavenumbers.shape)
    times = SPACING * np.arange(n_frames).reshape(-1, *[1] * wavenumbers.ndim)
    speed = np.sqrt(2 * K_B * TEMPERATURE / (masses * AMU))
    return speed * np.cos(2 * np.pi * PER_CM * wavenumbers * times + phase)


def test_an_einstein_crystal(rng):
    """Each sodium vibrates at 129.7 cm⁻¹, each sulphur at another wavenumber along each axis."""
    species = ["Na"] * 60 + ["S"] * 40
    wavenumbers = np.repeat([[129.7] * 3, [100.0, 250.0, 400.0]], [60, 40], axis=0)
    masses = np.array([[MASSES[s]] for s in species])
    found = measured(species, oscillations(rng, wavenumbers, masses, 4000))
    x, total = found.wavenumbers, found.density["total"]
    assert np.trapezoid(total, x) == pytest.approx(300, rel=1e-9)
    assert np.trapezoid(found.density["Na"], x) == pytest.approx(180, rel=0.02)
    assert x[np.argmax(found.density["Na"])] == pytest.approx(129.7, abs=0.6)
    assert found.terahertz[np.argmax(found.density["Na"])] == pytest.approx(3.888, abs=0.02)
    for wavenumber in (100.0, 250.0, 400.0):
        around = abs(x - wavenumber) < 40
        assert np.trapezoid(found.density["S"][around], x[around]) == pytest.approx(40, rel=0.03)
        assert x[around][np.argmax(found.smoothed["S"][around])] == pytest.approx(wavenumber, abs=1.1)
    np.testing.assert_allclose(total, found.density["Na"] + found.density["S"], atol=1e-12)
    assert total.min() > -0.01 * total.max()
    assert found.band_centre["Na"].value == pytest.approx(129.7, abs=0.5)
    assert found.band_centre["S"].value == pytest.approx(250.0, abs=2.0)
    assert found.temperature["total"].value == pytest.approx(300, rel=0.01)
    cosine = np.cos(2 * np.pi * PER_CM * 129.7 * found.times)
    np.testing.assert_allclose(found.autocorrelation["Na"], cosine, atol=0.05)


def test_a_chain_has_the_arcsine_law(rng):
    """ω_k = ω_m |sin(πk / N)| of equal springs: a third of the modes lie below ω_m / 2, and the band centre is 2 ω_m / π."""
    n, highest = 120, 400.0
    k = np.arange(1, n)  # the translation k = 0 has no energy here
    modes = np.array([np.cos(2 * np.pi * j * np.arange(n) / n) + np.sin(2 * np.pi * j * np.arange(n) / n) for j in k]) / np.sqrt(n)
    amplitudes = oscillations(rng, highest * abs(np.sin(np.pi * k / n)), np.array(MASSES["Na"]), 12000)
    velocities = np.zeros((12000, n, 3))
    velocities[:, :, 0] = amplitudes @ modes
    found = measured(["Na"] * n, velocities)
    x, density = found.wavenumbers, found.density["Na"]
    below = x <= highest / 2
    assert np.trapezoid(density[below], x[below]) / (3 * n) == pytest.approx(1 / 3, abs=0.02)
    assert found.band_centre["Na"].value == pytest.approx(2 * highest / np.pi, rel=0.01)
    assert x[np.argmax(density)] == pytest.approx(highest, abs=10)  # the edge, where the group velocity vanishes


def langevin(rng, n_frames: int, n_ions: int, friction: float, mass: float) -> tuple[np.ndarray, np.ndarray]:
    """Free ions with friction, by the exact distribution of a step: positions, Å, and velocities, Å/fs (Chandrasekhar, 1943)."""
    speed2, a = K_B * TEMPERATURE / (mass * AMU), np.exp(-friction * SPACING)
    covariance = speed2 * np.array(
        [
            [1 - a**2, (1 - a) ** 2 / friction],
            [(1 - a) ** 2 / friction, (2 * friction * SPACING - 3 + 4 * a - a**2) / friction**2],
        ]
    )
    kicks = np.einsum("ab,btnc->atnc", np.linalg.cholesky(covariance), rng.normal(size=(2, n_frames, n_ions, 3)))
    x, v = np.zeros((2, n_frames, n_ions, 3))
    v[0] = np.sqrt(speed2) * rng.normal(size=(n_ions, 3))
    for t in range(1, n_frames):
        x[t] = x[t - 1] + v[t - 1] * (1 - a) / friction + kicks[1, t]
        v[t] = a * v[t - 1] + kicks[0, t]
    return x, v


def test_diffusivities_from_displacements_velocities_and_the_spectrum_agree(rng):
    """Langevin: D = kT / mγ, and the autocorrelation falls as exp(−γt)."""
    friction = 0.02  # 1/fs
    positions, velocities = langevin(rng, 5000, 150, friction, MASSES["Li"])
    expected = K_B * TEMPERATURE / (MASSES["Li"] * AMU * friction) / CM2_PER_S
    found = measured(["Li"] * 150, velocities, n_lags=200)
    msd = MeanSquareDisplacement(np.arange(150), SPACING)
    msd.update(frames_of(positions))
    for diffusivity in (tracer_diffusivity(msd.result()).diffusivity, found.green_kubo["Li"], found.zero_frequency["Li"]):
        assert diffusivity.unit == "cm²/s"
        assert 0 < diffusivity.error < 0.12 * expected
        assert diffusivity.value == pytest.approx(expected, abs=3 * diffusivity.error)
    assert found.green_kubo["Li"].value == pytest.approx(expected, rel=0.1)
    assert found.zero_frequency["Li"].value == pytest.approx(expected, rel=0.1)
    np.testing.assert_allclose(found.autocorrelation["Li"], np.exp(-friction * found.times), atol=0.03)
    early = found.times < 300
    np.testing.assert_allclose(found.running["Li"][early], expected * (1 - np.exp(-friction * found.times[early])), rtol=0.03, atol=1e-12)


def test_what_only_vibrates_has_a_bound_of_its_diffusivity(rng):
    velocities = oscillations(rng, np.full((50, 3), 200.0), np.array(MASSES["Li"]), 4000)
    bound = measured(["Li"] * 50, velocities).zero_frequency["Li"]
    assert not bound.known
    assert 0 < bound.upper < 1e-8
    assert bound.reason == "below 1e-08 cm²/s"
    noisy = measured(["Li"] * 50, velocities + 1e-4 * rng.normal(size=velocities.shape)).green_kubo["Li"]
    assert not noisy.known
    assert noisy.reason == "less than twice its error"


def test_errors_are_the_scatter_of_runs(rng):
    """Twenty runs of damped oscillators: as large as the errors say, within what twenty tell."""
    runs = [measured(["Li"] * 10, langevin(rng, 1500, 10, 0.02, MASSES["Li"])[1], n_lags=50) for _ in range(20)]
    for values in ([run.green_kubo["Li"] for run in runs], [run.temperature["Li"] for run in runs]):
        scatter = np.std([estimate.value for estimate in values], ddof=1)
        assert 0.6 < scatter / np.mean([estimate.error for estimate in values]) < 1.6


def test_a_common_velocity_is_no_motion_where_the_system_rests(rng):
    species = ["Li"] * 20 + ["S"] * 30
    masses = np.array([MASSES[s] for s in species])
    velocities = 0.004 * rng.normal(size=(1000, 50, 3))
    drift = np.where(np.array(species) == "Li", 0.0, masses)
    still, moving = (measured(species, v, n_lags=50, drift=drift) for v in (velocities, velocities + np.array([0.02, 0, 0])))
    assert still.running["Li"][-1] == pytest.approx(moving.running["Li"][-1], abs=1e-7)
    assert moving.temperature["total"].value == pytest.approx(still.temperature["total"].value, rel=1e-5)
    told = measured(species, velocities + np.array([0.02, 0, 0]), n_lags=50)  # where it does not rest, it is
    assert told.running["Li"][-1] > 5 * moving.running["Li"][-1]
    relative = velocities - np.average(velocities, axis=1, weights=drift)[:, None]
    direct = measured(species, relative, n_lags=50)
    np.testing.assert_allclose(still.running["Li"], direct.running["Li"], rtol=1e-4, atol=1e-9)


def test_steps_are_those_of_the_velocities(rng):
    """Every fifth step of 2 fs is the same as every step of 10 fs."""
    velocities = oscillations(rng, np.full((20, 3), 129.7), np.array(MASSES["Na"]), 1500)
    one, other = (measured(["Na"] * 20, velocities, n_lags=200, every=every) for every in (1, 5))
    np.testing.assert_allclose(one.wavenumbers, other.wavenumbers)
    assert other.band_centre["Na"].value == pytest.approx(129.7, abs=1.0)


def test_runs_join(rng):
    runs = 0.004 * rng.normal(size=(2, 800, 10, 3))
    accumulators = [VibrationsAccumulator(["Li"] * 10, np.full(10, 6.94), SPACING, 100) for _ in runs]
    for accumulator, run in zip(accumulators, runs, strict=True):
        accumulator.update(series_of(run))
    each = [accumulator.result() for accumulator in accumulators]
    accumulators[0].merge(accumulators[1])
    whole = accumulators[0].result()
    assert whole.duration == sum(run.duration for run in each)
    assert whole.temperature["Li"].value == pytest.approx(np.mean([run.temperature["Li"].value for run in each]))
    coarse = VibrationsAccumulator(["Li"] * 10, np.full(10, 6.94), SPACING, 100)
    coarse.update(series_of(runs[0], 2))
    with pytest.raises(ValueError, match="1 and 2 steps apart, expected one spacing"):
        accumulators[0].merge(coarse)


def system_with(velocity_interval: int | None, symbols=("Li", "S"), n_frames: int = 0) -> System:
    masses = np.array([MASSES[symbol] for symbol in symbols])
    positions = np.zeros((len(symbols), 3))
    return System(symbols, masses, positions, CELL, "Li", 1.0, 20, velocity_interval, n_frames)


def test_velocities_too_far_apart_are_refused():
    with pytest.raises(NotApplicable, match="found no velocities"):
        VibrationsAccumulator.of(system_with(None))
    with pytest.raises(NotApplicable, match=r"lie 12 fs apart and resolve up to 1390 cm⁻¹, expected 1518 cm⁻¹, .* Li .* every 11 fs"):
        VibrationsAccumulator.of(system_with(12))
    with pytest.raises(NotApplicable, match=r"resolve up to 3336 cm⁻¹, expected 3984 cm⁻¹, which bonds of H may reach"):
        VibrationsAccumulator.of(system_with(5, ("Li", "H")))
    assert VibrationsAccumulator.of(system_with(5, ("Li", "H")), highest=2500).n_lags == 800
    assert VibrationsAccumulator.of(system_with(4, ("Li", "H"))).n_lags == 1000


def test_a_short_run_has_a_shorter_lag():
    """Frames every 20 fs and velocities every 5 fs: 500 frames are 10 ps, of which a quarter are 500 velocities."""
    assert VibrationsAccumulator.of(system_with(5, n_frames=500)).n_lags == 500


def test_what_is_no_even_series_is_refused(rng):
    accumulator = VibrationsAccumulator(["Li"] * 2, np.full(2, 6.94), SPACING, 10)
    with pytest.raises(ValueError, match="found 0 velocities, expected at least 20, twice the longest lag"):
        accumulator.result()
    with pytest.raises(ValueError, match=r"shape \(3, 3\) each, expected \(2, 3\)"):
        accumulator.update(series_of(np.zeros((5, 3, 3))))
    accumulator.update(series_of(np.zeros((5, 2, 3))))
    with pytest.raises(ValueError, match="velocities lie 1 steps apart, but from step 4 to 7"):
        accumulator.update(Series(np.array([7]), {"velocities": np.zeros((1, 2, 3))}))
    with pytest.raises(ValueError, match="expected at least two lags"):
        VibrationsAccumulator(["Li"], np.ones(1), SPACING, 1)


def test_memory_does_not_grow(rng):
    accumulator = VibrationsAccumulator(["Li"] * 3, np.full(3, 6.94), SPACING, 10)
    accumulator.update(series_of(0.01 * rng.normal(size=(1000, 3, 3))))
    size = sum(array.nbytes for array in accumulator.state().values())
    more = 0.01 * rng.normal(size=(20000, 3, 3))
    accumulator.update(Series(1000 + np.arange(len(more)), {"velocities": more}))
    assert sum(array.nbytes for array in accumulator.state().values()) < 2 * size


def test_what_is_held_has_no_modes_and_no_band_centre(rng):
    velocities = np.float32(0.01 * rng.normal(size=(600, 4, 3)))
    velocities[:, 2:] = 0
    held = VibrationsAccumulator(["Li", "Li", "S", "S"], np.array([6.94, 6.94, 32.06, 32.06]), 2.0, 50)
    held.update(Series(np.arange(600), {"velocities": velocities}))
    found = held.result()
    assert not found.density["S"].any()
    assert not found.autocorrelation["S"].any()
    assert not found.band_centre["S"].known
    assert found.temperature["S"].value == 0
    assert np.trapezoid(found.density["Li"], found.wavenumbers) == pytest.approx(3 * 4)
