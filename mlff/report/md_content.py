"""All that the report of a molecular dynamics run shows, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mlff.analysis import Arrhenius, Displacements, Estimate, TracerDiffusivity, no_result
from mlff.report.environment import software_versions
from mlff.units import CM2_PER_S, PS

NOT_MEASURED = no_result("not measured")


@dataclass(frozen=True)
class MsdCurve:
    """times: (n_lags,), ps. msd: over all origins, error: its standard error, single: from the first origin alone, each (n_lags,), Å².

    window: of the fit, ps. slope: Å²/ps, intercept: Å², of the fitted line.
    """

    times: np.ndarray
    msd: np.ndarray
    error: np.ndarray
    single: np.ndarray
    window: tuple[float, float]
    slope: float
    intercept: float

    @classmethod
    def of(cls, displacements: Displacements, diffusivity: TracerDiffusivity) -> "MsdCurve":
        """The curve of measured displacements with the line that was fitted to them."""
        per_ion = displacements.per_ion()
        error = per_ion.std(axis=1) * np.sqrt(diffusivity.correlation / max(per_ion.shape[1] - 1, 1))
        return cls(
            displacements.times / PS,
            per_ion.mean(1),
            error,
            displacements.msd("first_origin"),
            tuple(end / PS for end in diffusivity.window),
            6 * diffusivity.fitted.value * CM2_PER_S * PS,
            diffusivity.intercept,
        )

    def __post_init__(self):
        if not len(self.times) == len(self.msd) == len(self.error) == len(self.single):
            raise ValueError(
                f"found {len(self.times)} times, {len(self.msd)} MSDs, {len(self.error)} errors and {len(self.single)} of a single origin; "
                "give one of each per lag"
            )


@dataclass(frozen=True)
class TimeSeries:
    """times: (n,), ps. values: (n,), in the unit that the label ends with: "temperature, K". Series of one label share a chart's axis."""

    label: str
    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Replica:
    """One trajectory.

    temperature: K, asked for. mean_temperature: K, while it was analysed. mode: of the constraints, "UC" for none. duration: ps, of what
        was analysed. status: "finished", "stopped: …".
    diffusivity: tracer D of the mobile ion, cm²/s. conductivity: from it, S/cm. exponent: of the MSD. haven_ratio: D*/D_σ.
    drift: of the conserved quantity, meV/atom/ps; None where there is none.
    """

    name: str
    temperature: float
    mode: str
    duration: float
    mean_temperature: float | None = None
    diffusivity: Estimate = NOT_MEASURED
    conductivity: Estimate = NOT_MEASURED
    exponent: Estimate = NOT_MEASURED
    haven_ratio: Estimate = NOT_MEASURED
    drift: float | None = None
    status: str = "finished"
    msd: MsdCurve | None = None
    series: Sequence[TimeSeries] = ()


@dataclass(frozen=True)
class ArrheniusSeries:
    """Of one constraint mode: by temperature, K, σT in S K/cm, of which `line` was fitted."""

    mode: str
    values: Mapping[float, Estimate]
    line: Arrhenius


@dataclass(frozen=True)
class MotionShares:
    """What the motions of the anions are worth to the ions, at one temperature (K) of one structure; each by the motion's name.

    decrease: of log10 σ along the ladder UC → RC → RTC → RTVC. share: of each in it. shapley: decreases that no order enters, where
    every subset ran.
    """

    structure: str
    temperature: float
    decrease: Mapping[str, Estimate]
    share: Mapping[str, Estimate]
    shapley: Mapping[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class MdReport:
    """One report.

    summary: one sentence. warnings: what a reader must know first. mobile: the symbol of the mobile ion, "" without.
    setup: name → text, number, list or mapping; config_text: the resolved configuration, YAML.
    """

    title: str
    summary: str
    replicas: Sequence[Replica]
    arrhenius: Sequence[ArrheniusSeries] = ()
    shares: Sequence[MotionShares] = ()
    warnings: Sequence[str] = ()
    mobile: str = ""
    setup: Mapping = field(default_factory=dict)
    config_text: str = ""
    environment: Mapping[str, str] = field(default_factory=software_versions)

    def __post_init__(self):
        if not self.replicas:
            raise ValueError("found no replica, expected at least one; give what ran")
