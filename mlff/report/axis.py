"""One axis of a chart: its range, where a value lies on it, and round numbers to mark."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axis:
    """Range `low` to `high`, linear or logarithmic, with the text (and unit) that names it; `whole`: of what is counted."""

    label: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self):
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"axis {self.label!r} runs from {self.low} to {self.high}; expected low < high, both positive if logarithmic")

    @classmethod
    def around(cls, label: str, *arrays: np.ndarray, log: bool = False, zero: bool = False) -> "Axis":
        """An axis that holds all values with a small margin; with `zero`, it starts there."""
        values = np.concatenate([np.zeros(0), *(np.ravel(a) for a in arrays)])
        values = values[np.isfinite(values) & ((values > 0) | (not log))]
        if not values.size:
            return cls(label, 0.1, 1.0, log)
        low, high = float(values.min()), float(values.max())
        if log:
            return cls(label, low / 1.15, high * 1.15, True)
        low = min(low, 0.0) if zero else low
        margin = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
        return cls(label, low if zero and low == 0.0 else low - margin, high + margin)

    def place(self, values: np.ndarray) -> np.ndarray:
        """Position on the axis, 0 at `low` and 1 at `high`; values outside stop at the ends."""
        values, low, high = np.asarray(values, float), self.low, self.high
        if self.log:
            values, low, high = np.log(np.maximum(values, self.low)), np.log(self.low), np.log(self.high)
        return np.clip((values - low) / (high - low), 0.0, 1.0)

    def ticks(self, about: int = 5) -> list[float]:
        """Round numbers inside the range: 1, 2 or 5 times a power of ten; decades where the axis is logarithmic and long."""
        if self.log and self.high / self.low >= 5:
            decades = [10.0**p for p in range(int(np.floor(np.log10(self.low))), int(np.ceil(np.log10(self.high))) + 1)]
            factors = (1,) if len(decades) > 4 else (1, 3) if len(decades) > 3 else (1, 2, 5)
            decades = decades[:: max(1, len(decades) // 6)]
            return [d * f for d in decades for f in factors if self.low <= d * f <= self.high]
        raw = (self.high - self.low) / about
        power = 10.0 ** np.floor(np.log10(raw))
        step = next(f * power for f in (1, 2, 5, 10) if f * power >= 0.999 * raw)
        step = max(step, 1) if self.whole else step
        first = int(np.ceil(self.low / step - 1e-9))
        return [i * step for i in range(first, int(np.floor(self.high / step + 1e-9)) + 1)]


def tick_text(value: float) -> str:
    """Short text of a tick: 0.05, 20, 3k, 10⁻⁵."""
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-3 or size >= 1e6:
        power = int(np.floor(np.log10(size) + 1e-9))
        factor = value / 10.0**power
        lead = "" if abs(factor - 1) < 1e-6 else f"{factor:.3g}·"
        return f"{lead}10{str(power).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}".replace("-", "−")
    if size >= 1e4 and value % 100 == 0:
        return f"{value / 1000:g}k".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")
