"""How unequally the ions move."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.diffusion.non_gaussian import NonGaussian
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.units import PS


@describe.register
def _(result: NonGaussian, system: System) -> Description:
    error = result.error if np.isfinite(result.error).all() else None
    curve = Curve(system.mobile, result.times / PS, result.alpha, error)
    remarks = [f"The longest lag, {result.times[-1] / PS:.3g} ps, has {result.origins[-1]} origins."]
    if result.correlation > 1:
        remarks.append(f"Ions move together: errors are {np.sqrt(result.correlation):.2g} times those of independent ones.")
    return Description(
        "Non-Gaussian",
        "Zero where all ions diffuse alike; large while some have hopped and others not. Hops alone give it too: 3/5 over their mean "
        "number.",
        [Curves("Non-Gaussian parameter", "lag, ps", "α₂", [curve], log_x=True, levels={"Brownian": 0.0})],
        [Number(f"largest α₂ of {system.mobile}", result.peak), Number(f"lag of the largest α₂ of {system.mobile}", result.peak_time)],
        remarks,
    )
