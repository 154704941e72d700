"""The conductivity at room temperature from hotter runs, with an interval that is even in the logarithm."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlff.analysis.conductivity.arrhenius import Arrhenius, fit_arrhenius, times_temperature
from mlff.analysis.estimate import SURE, Estimate

SMALL = 0.5  # relative error up to which value ± error and the interval of the logarithm are much the same


@dataclass(frozen=True)
class RoomTemperature:
    """conductivity: S/cm; 95 % limits in place of a value where its relative error exceeds one half.

    log10: of it in S/cm, with the error of the line. interval: S/cm, one standard deviation of the logarithm to either side, and so
    longer above than below; None where there is no value. temperature: K. line: of σT.
    """

    conductivity: Estimate
    log10: Estimate
    interval: tuple[float, float] | None
    temperature: float
    line: Arrhenius


def room_temperature(conductivity: Mapping[float, Estimate], temperature: float = 300.0) -> RoomTemperature:
    """σ(T) from the line of log σT against 1/T (`fit_arrhenius`).

    Bounds: σT grows with temperature, so an upper bound at any temperature above is one here, and a lower bound at any below. They stand
    where there is no line, and where the line contradicts them, for then it is not one process over the whole range.

    Args:
        conductivity: S/cm, by temperature, K.
    """
    if not temperature > 0:
        raise ValueError(f"found a temperature of {temperature} K, expected a positive one; give it in K")
    line = fit_arrhenius({t: times_temperature(sigma, t) for t, sigma in conductivity.items()})
    upper = min((e.upper * t / temperature for t, e in conductivity.items() if not e.known and e.upper and t >= temperature), default=None)
    lower = max((e.lower * t / temperature for t, e in conductivity.items() if not e.known and e.lower and t <= temperature), default=None)
    log = line.log10_at(temperature)
    if not log.known or line.contradicted:
        reason = log.reason or f"the line contradicts the bounds at {', '.join(f'{t:g}' for t in line.contradicted)} K"
        bounded = Estimate(None, lower=lower, upper=upper, unit="S/cm", reason=reason)
        return RoomTemperature(bounded, _logarithm(bounded), None, temperature, line)
    log = Estimate(float(log.value - np.log10(temperature)), log.error)
    low, value, high = (float(10 ** (log.value + k * log.error)) for k in (-1, 0, 1))
    found = Estimate(value, value * log.error * float(np.log(10)), unit="S/cm")
    if log.error * np.log(10) > SMALL:
        ends = [float(10 ** (log.value + k * SURE * log.error)) for k in (-1, 1)]
        found = Estimate(None, lower=ends[0], upper=ends[1], unit="S/cm", reason=f"known to a factor of {10**log.error:.2g}")
    return RoomTemperature(found, log, (low, high), temperature, line)


def _logarithm(bounded: Estimate) -> Estimate:
    ends = {name: float(np.log10(x)) if (x := getattr(bounded, name)) else None for name in ("lower", "upper")}
    return Estimate(None, **ends, reason=bounded.reason)
