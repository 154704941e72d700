"""What a committee's deviations are worth, fitted on held-out frames: one error map per group of atoms, and per temperature of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from mlff.uncertainty.error_map import LEAST_BINS, PER_BIN, ErrorMap, error_map_from_json, fit_isotonic, fit_scale
from mlff.uncertainty.reliability import ALL

FRAMEWORK = "framework"  # the group of every atom that is no mobile ion

# Fits, and the error components that a temperature needs for a map of its own. Components of one frame hang together and count for about a
# quarter: of 400 the share is uncertain by 5 %, and with fewer the group's map, which may be off by as much, scatters less
FITS = {"scale": (fit_scale, 400), "isotonic": (fit_isotonic, LEAST_BINS * PER_BIN)}


def group_names(symbols: np.ndarray, groups: Collection[str]) -> np.ndarray:
    """The group of each atom: its element where that was calibrated by itself, else the framework, else all."""
    rest = FRAMEWORK if FRAMEWORK in groups else ALL
    return np.where(np.isin(symbols, list(groups)), symbols, rest)


@dataclass(frozen=True)
class Calibration:
    """Error maps by (group, temperature); temperature None is the map of all temperatures, which every group has.

    A group is a name that the user chooses, such as "Li" or "framework": mobile ions err otherwise than their surroundings.
    Temperatures, K, are those the frames were simulated at.
    """

    maps: Mapping[tuple[str, float | None], ErrorMap]

    @property
    def groups(self) -> list[str]:
        return sorted({group for group, _ in self.maps})

    def map(self, group: str, temperature: float | None = None) -> ErrorMap:
        """That of the group at this temperature, or of the group at all temperatures where this one was not calibrated."""
        if (group, None) not in self.maps:
            raise ValueError(f"group {group!r} was not calibrated, only {self.groups}; calibrate again with frames that hold it")
        return self.maps.get((group, temperature), self.maps[group, None])

    def sigma(self, deviation: np.ndarray, groups: np.ndarray, temperature: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """σ_c of each atom, eV/Å, and whether its deviation lies in the range calibrated on; both (n,).

        Args:
            deviation: ε_F, (n,), eV/Å. groups: the name of each atom's group, (n,). temperature: K, of all the atoms.
        """
        deviation, groups = np.asarray(deviation, np.float64), np.asarray(groups)
        sigma, inside = np.zeros(len(deviation)), np.zeros(len(deviation), bool)
        for group in np.unique(groups).tolist():
            chosen, error_map = groups == group, self.map(group, temperature)
            sigma[chosen], inside[chosen] = error_map(deviation[chosen]), error_map.inside(deviation[chosen])
        return sigma, inside

    def to_json(self) -> dict:
        """For a model's card; `from_json` is the inverse."""
        return {"maps": [{"group": group, "temperature": t, **error_map.to_json()} for (group, t), error_map in self.maps.items()]}

    @classmethod
    def from_json(cls, entry: Mapping) -> "Calibration":
        return cls({(row["group"], row["temperature"]): error_map_from_json(row) for row in entry["maps"]})


def fit_calibration(
    deviation: np.ndarray, errors: np.ndarray, groups: np.ndarray, temperatures: np.ndarray | None = None, *, kind: str = "scale"
) -> Calibration:
    """Calibrates every group that occurs, and each of its temperatures that has enough atoms.

    Args:
        deviation: ε_F of each atom, (n,), eV/Å. errors: predicted − reference force, (n, 3), eV/Å. groups: (n,) names.
        temperatures: of each atom's frame, (n,), K, NaN where unknown; None: no maps per temperature.
        kind: "scale", one factor; or "isotonic", a curve, which a committee that saturates needs and that wants thousands of atoms.

    Use frames that were neither trained nor validated on: on the training set members agree with the labels and each other.
    """
    if kind not in FITS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(FITS)}")
    deviation, errors, groups = np.asarray(deviation, np.float64), np.asarray(errors, np.float64), np.asarray(groups)
    if not len(deviation) == len(errors) == len(groups) or not len(groups):
        raise ValueError(f"found {len(deviation)} deviations, {len(errors)} errors, {len(groups)} groups; expected one of each per atom")
    fit, least = FITS[kind]
    temperatures = np.full(len(groups), np.nan) if temperatures is None else np.asarray(temperatures, np.float64)
    maps: dict[tuple[str, float | None], ErrorMap] = {}
    for group in np.unique(groups).tolist():
        of_group = groups == group
        try:
            maps[group, None] = fit(deviation[of_group], errors[of_group])
        except ValueError as error:
            raise ValueError(f"group {group!r}: {error}") from error
        for temperature in np.unique(temperatures[of_group & np.isfinite(temperatures)]).tolist():
            chosen = of_group & (temperatures == temperature)
            if errors[chosen].size >= least:
                maps[group, temperature] = fit(deviation[chosen], errors[chosen])
    return Calibration(maps)
