"""What velocity autocorrelations of species say: their density of states, its band centre, temperatures and diffusivities."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlff.analysis.diffusion.diffusivity import Criteria
from mlff.analysis.estimate import SURE, Estimate
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.jackknife import estimate, jackknife
from mlff.analysis.vibrations.spectrum import mean_wavenumber, savitzky_golay, spectrum, wavenumbers
from mlff.units import AMU, CM2_PER_S, K_B, PER_CM, THZ

TOTAL = "total"  # the key of all species together


@dataclass(frozen=True)
class Vibrations:
    """By species, "total" for all together; errors are one standard deviation from blocks of time, NaN where the run is too short.

    wavenumbers: (n,), cm⁻¹, up to the Nyquist frequency.
    density, error: (n,), modes per cm⁻¹: the trapezoidal integral of the total is 3 N exactly, that of a species 3 N_s where all species
        have one temperature. Noise may take it below zero by about its error.
    smoothed, smoothed_error: (n,), by a Savitzky–Golay filter of second order, `smoothing` cm⁻¹ wide, as papers show it; it may dip below
        zero beside a sharp peak. The numbers here come from `density`.
    band_centre: ∫ ν D dν / ∫ D dν, cm⁻¹.
    temperature: Σ m v² / 3 N k_B, K; lower than the thermostat's by the share of degrees of freedom that are held.
    times: (n_lags,), fs. autocorrelation, autocorrelation_error: (n_lags,), ⟨v(0)·v(t)⟩ / ⟨v²⟩; in the total weighted by mass.
    running, running_error: (n_lags,), ⅓ ∫₀^t ⟨v(0)·v(t')⟩ dt', cm²/s, no total.
    green_kubo: `running` at the last lag, and zero_frequency: from the spectrum at ν = 0, which weighs long lags less; both cm²/s, no
        total; an upper bound where it is less than twice its error, or less than 1e-8 cm²/s, which feet of a vibration's line may give.
    duration: fs, of the velocities that count.
    """

    wavenumbers: np.ndarray
    density: dict[str, np.ndarray]
    error: dict[str, np.ndarray]
    smoothed: dict[str, np.ndarray]
    smoothed_error: dict[str, np.ndarray]
    band_centre: dict[str, Estimate]
    temperature: dict[str, Estimate]
    times: np.ndarray
    autocorrelation: dict[str, np.ndarray]
    autocorrelation_error: dict[str, np.ndarray]
    running: dict[str, np.ndarray]
    running_error: dict[str, np.ndarray]
    green_kubo: dict[str, Estimate]
    zero_frequency: dict[str, Estimate]
    smoothing: float
    duration: float

    @property
    def terahertz(self) -> np.ndarray:
        """The wavenumbers as frequencies, (n,), THz."""
        return self.wavenumbers / THZ


@dataclass(frozen=True)
class Autocorrelations:
    """From the mean of samples of Σ_i v_i(0)·v_i(t), (2, n_species, n_lags), Å²/fs², to what follows from it, by species.

    Sample 0 is of the velocities, sample 1 of those in the frame in which ions diffuse. numbers, masses: (n_species,), amu.
    spacing: fs, of the lags. finest: cm⁻¹, of the grid.
    """

    numbers: np.ndarray
    masses: np.ndarray
    spacing: float
    finest: float

    def weighted(self, mean: np.ndarray) -> np.ndarray:
        """(n_species + 1, n_lags), Σ m v(0)·v(t), the last of all together."""
        each = mean[0] * self.masses[:, None]
        return np.concatenate([each, each.sum(0, keepdims=True)])

    def normalised(self, mean: np.ndarray) -> np.ndarray:
        found = self.weighted(mean)
        return np.divide(found, found[:, :1], out=np.zeros_like(found), where=found[:, :1] > 0)  # what is held stands still

    def temperature(self, mean: np.ndarray) -> np.ndarray:
        """(n_species + 1,), K."""
        return self.weighted(mean)[:, 0] * AMU / (3 * np.append(self.numbers, self.numbers.sum()) * K_B)

    def density(self, mean: np.ndarray) -> np.ndarray:
        """(n_species + 1, n), modes per cm⁻¹."""
        energy = self.weighted(mean)
        return 3 * self.numbers.sum() / energy[-1, 0] * spectrum(energy, self.spacing, self.finest)

    def running(self, mean: np.ndarray) -> np.ndarray:
        """(n_species, n_lags), cm²/s."""
        steps = (mean[1, :, 1:] + mean[1, :, :-1]) * (self.spacing / 2)
        whole = np.concatenate([np.zeros((len(steps), 1)), steps.cumsum(1)], axis=1)
        return whole / (3 * self.numbers[:, None] * CM2_PER_S)

    def zero_frequency(self, mean: np.ndarray) -> np.ndarray:
        """(n_species,), cm²/s: S(0) = 4 c ∫₀^∞ C dt = 12 c N D."""
        return spectrum(mean[1], self.spacing, self.finest)[:, 0] / (12 * PER_CM * self.numbers * CM2_PER_S)


def vibrations(blocks: Blocks, species: list[str], of: Autocorrelations, smoothing: float) -> Vibrations:
    """From samples of autocorrelations, (2, n_species, n_lags) each, with errors from their scatter. smoothing: cm⁻¹."""
    n_lags = blocks.total.shape[-1]
    grid = wavenumbers(n_lags, of.spacing, of.finest)
    window = 2 * int(smoothing / grid[1] / 2) + 1
    names = [*species, TOTAL]

    def curves(function: Callable) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        value, error = jackknife(blocks, function)
        return dict(zip(names, value, strict=False)), dict(zip(names, error, strict=False))  # diffusivities have no total, the last name

    def numbers(function: Callable, unit: str) -> dict[str, Estimate]:
        return {name: estimate(value, error, unit) for name, value, error in zip(names, *jackknife(blocks, function), strict=False)}

    density, error = curves(of.density)
    smoothed, smoothed_error = curves(lambda mean: savitzky_golay(of.density(mean), window))
    autocorrelation, autocorrelation_error = curves(of.normalised)
    running, running_error = curves(of.running)
    return Vibrations(
        wavenumbers=grid,
        density=density,
        error=error,
        smoothed=smoothed,
        smoothed_error=smoothed_error,
        band_centre=numbers(lambda mean: mean_wavenumber(grid, of.density(mean)), "cm⁻¹"),
        temperature=numbers(of.temperature, "K"),
        times=of.spacing * np.arange(n_lags),
        autocorrelation=autocorrelation,
        autocorrelation_error=autocorrelation_error,
        running=running,
        running_error=running_error,
        green_kubo=_seen(numbers(lambda mean: of.running(mean)[:, -1], "cm²/s")),
        zero_frequency=_seen(numbers(of.zero_frequency, "cm²/s")),
        smoothing=smoothing,
        duration=float(blocks.n * (n_lags - 1)) * of.spacing,
    )


def _seen(found: dict[str, Estimate]) -> dict[str, Estimate]:
    """Diffusivities, as bounds where they are too small to be told from none."""
    return {name: _bounded(one) if one.known else one for name, one in found.items()}


def _bounded(found: Estimate, least: float = Criteria.least_diffusivity) -> Estimate:
    if found.value >= max(2 * found.error, least):
        return found
    reason = "less than twice its error" if found.value < 2 * found.error else f"below {least:g} {found.unit}"
    return Estimate(None, upper=max(found.value, 0.0) + SURE * found.error, unit=found.unit, reason=reason)
