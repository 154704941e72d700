"""Activation energy from values at several temperatures: D = D₀ exp(−E_a / kT), or the same for σT."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlff.analysis.estimate import SURE, Estimate, no_result
from mlff.units import K_B


@dataclass(frozen=True)
class Arrhenius:
    """log10 y = log10 y₀ − E_a / (ln 10 · k_B T), y a diffusivity or σT.

    activation_energy: E_a, eV. log10_prefactor: of y₀ in y's unit.
    temperatures: K, of the values that were fitted. contradicted: K, of the bounds that lie below the line by more than its error.
    coefficients, covariance: (2,), (2, 2), of ln y₀ and E_a; None where there is no line.
    """

    activation_energy: Estimate
    log10_prefactor: Estimate
    temperatures: tuple[float, ...]
    contradicted: tuple[float, ...]
    unit: str
    coefficients: np.ndarray | None = None
    covariance: np.ndarray | None = None

    def log10_at(self, temperature: float) -> Estimate:
        """log10 y at a temperature, K, with the error of the line there."""
        if self.coefficients is None:
            return no_result(self.activation_energy.reason)
        row = np.array([1.0, -1 / (K_B * temperature)])
        error = float(np.sqrt(row @ self.covariance @ row))
        return Estimate(float(row @ self.coefficients) / np.log(10), error / np.log(10))

    def at(self, temperature: float) -> Estimate:
        """y at a temperature, K. Its error is that of its logarithm times the value: where it exceeds about half the value, the range
        is that of `log10_at`."""
        log = self.log10_at(temperature)
        if not log.known:
            return no_result(log.reason, self.unit)
        value = 10**log.value
        return Estimate(value, value * log.error * np.log(10), unit=self.unit)


def fit_arrhenius(values: Mapping[float, Estimate]) -> Arrhenius:
    """Weighted least squares of ln y on 1/T, from temperature (K) → y (D, or σT; see `times_temperature`).

    Weights are the squared relative errors, inverted; where the points scatter about the line by more than that (χ² per degree of
    freedom above 1) the errors grow by its root. Bounds are no points of the line, but are held against it: an upper bound below the
    line by more than 1.645 errors of the line is named in `contradicted`, and with it the line is not one process over the whole range.

    Raises:
        ValueError: a temperature or a value that is not positive, or values of several units.
    """
    units = {estimate.unit for estimate in values.values()}
    if len(units) > 1:
        raise ValueError(f"found values in {sorted(units)}, expected one unit; convert them first")
    if bad := [t for t, y in values.items() if t <= 0 or (y.known and (y.value <= 0 or y.error <= 0))]:
        raise ValueError(f"at {bad} K a value, its error or the temperature is not positive, which has no logarithm; leave it out")
    unit = next(iter(units), "")
    known = {t: y for t, y in sorted(values.items()) if y.known}
    if len(known) < 2:
        nothing = no_result(f"{len(known)} of {len(values)} temperatures gave a value, and a line needs 2")
        return Arrhenius(nothing, nothing, tuple(known), (), unit)
    t, y = np.array(list(known)), np.array([e.value for e in known.values()])
    relative = np.array([e.error / e.value for e in known.values()])
    design = np.stack([np.ones_like(t), -1 / (K_B * t)], axis=1)
    weighted = design / relative[:, None] ** 2
    covariance = np.linalg.inv(weighted.T @ design)
    coefficients = covariance @ weighted.T @ np.log(y)
    residual = (np.log(y) - design @ coefficients) / relative
    covariance = covariance * max(1.0, float((residual**2).sum()) / max(1, len(t) - 2))
    errors = np.sqrt(np.diag(covariance))
    line = Arrhenius(
        Estimate(float(coefficients[1]), float(errors[1]), unit="eV"),
        Estimate(float(coefficients[0]) / np.log(10), float(errors[0]) / np.log(10)),
        tuple(known),
        (),
        unit,
        coefficients,
        covariance,
    )
    below = [t for t, e in sorted(values.items()) if not e.known and e.upper is not None and _under(line.log10_at(t), e.upper)]
    return Arrhenius(**(line.__dict__ | {"contradicted": tuple(below)}))


def times_temperature(conductivity: Estimate, temperature: float) -> Estimate:
    """σT in S K/cm, which is what follows Arrhenius' law."""
    return conductivity.times(temperature, "S K/cm")


def _under(log: Estimate, upper: float) -> bool:
    return bool(np.log10(upper) < log.value - SURE * log.error)
