"""A measured number with its error, or what can be said in its place: bounds, or nothing and why."""

from dataclasses import dataclass, replace
from math import floor, isfinite, log10

SURE = 1.645  # standard deviations: a normal variable stays below in 95 % of the cases


@dataclass(frozen=True)
class Estimate:
    """value ± error, or bounds in place of a value, or no result at all.

    value: None where the data do not give it. error: one standard deviation.
    lower, upper: 95 % limits where there is no value; None where there is no limit on that side.
    reason: why there is no value.
    """

    value: float | None
    error: float | None = None
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    reason: str = ""

    def __post_init__(self):
        if self.value is not None and (self.error is None or not isfinite(self.value) or not self.error >= 0):
            raise ValueError(
                f"found the value {self.value} with the error {self.error}; give a finite value with an error, or none with a bound"
            )
        if self.value is not None and (self.lower is not None or self.upper is not None):
            raise ValueError("found a value and bounds; give bounds only in place of a value")

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    def limits(self) -> tuple[float, float]:
        """What the number lies between: 95 % limits on either side, infinite where there is none."""
        if self.value is not None:
            return self.value - SURE * self.error, self.value + SURE * self.error
        return (float("-inf") if self.lower is None else self.lower, float("inf") if self.upper is None else self.upper)

    def times(self, factor: float, unit: str) -> "Estimate":
        """This times an exact positive factor, in another unit."""
        scaled = {name: None if (x := getattr(self, name)) is None else factor * x for name in ("value", "error", "lower", "upper")}
        return replace(self, unit=unit, **scaled)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.value is not None:
            return _with_error(self.value, self.error, unit)
        if self.lower is not None and self.upper is not None:
            return f"{_short(self.lower)} to {_short(self.upper)}{unit}"
        if self.upper is not None:
            return f"< {_short(self.upper)}{unit}"
        if self.lower is not None:
            return f"> {_short(self.lower)}{unit}"
        return f"no result ({self.reason})" if self.reason else "no result"


def no_result(reason: str, unit: str = "") -> Estimate:
    """Neither a value nor a bound, and why."""
    return Estimate(None, unit=unit, reason=reason)


def _with_error(value: float, error: float, unit: str) -> str:
    """Error to one significant digit, two where the first is 1; the value to the same place."""
    power = _power(value or error)
    scale = power if power < -2 or power > 3 else 0
    value, error = value / 10.0**scale, error / 10.0**scale
    digits = 2 if error == 0 else max(0, -_power(error) + (f"{error:e}"[0] == "1"))
    text = f"{value:.{digits}f} ± {error:.{digits}f}".replace("-", "−")
    return (f"({text})e{scale}" if scale else text) + unit


def _short(value: float) -> str:
    """Two significant digits, without the e-09 of printf."""
    power = _power(value)
    if value != 0 and (power < -2 or power > 3):
        lead = float(f"{value:.1e}") / 10.0 ** _power(float(f"{value:.1e}"))
        return f"{lead:.2g}e{_power(float(f'{value:.1e}'))}".replace("-", "−", 1 if value < 0 else 0)
    return f"{value:.2g}".replace("-", "−")


def _power(value: float) -> int:
    return floor(log10(abs(value)) + 1e-12) if value else 0
