"""Densities of states, velocity autocorrelations, and the diffusivities that follow from them."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.vibrations.vibrational_density import TOTAL, Vibrations
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number, known_error
from mlff.units import PS

SHOWN = 0.999  # of the modes: what lies above is an empty axis
WARM = 0.05  # relative deviation from the temperature asked for, that is told


@describe.register
def _(result: Vibrations, system: System) -> Description:
    total = np.cumsum(np.maximum(result.density[TOTAL], 0))
    end = min(len(total), int(1.1 * np.searchsorted(total, SHOWN * total[-1])) + 2)
    x, mobile, ps = result.wavenumbers[:end], system.mobile, result.times / PS
    centre = result.band_centre.get(mobile)
    marks = {f"band centre of {mobile}": centre.value} if centre is not None and centre.known else {}

    def spectra(values: dict, errors: dict) -> list[Curve]:
        return [Curve(name, x, y[:end], known_error(errors[name][:end])) for name, y in values.items()]

    caption = f"Smoothed over {result.smoothing:g} cm⁻¹. 100 cm⁻¹ are 2.998 THz."
    correlations = [Curve(name, ps, y, known_error(result.autocorrelation_error[name])) for name, y in result.autocorrelation.items()]
    running = [Curve(name, ps, y, known_error(result.running_error[name])) for name, y in result.running.items()]
    smoothed, plain = spectra(result.smoothed, result.smoothed_error), spectra(result.density, result.error)
    panels = [
        Curves("VDOS", "wavenumber, cm⁻¹", "modes per cm⁻¹", smoothed, zero=True, caption=caption, marks=marks),
        Curves("VDOS, not smoothed", "wavenumber, cm⁻¹", "modes per cm⁻¹", plain, zero=True, marks=marks),
        Curves("Velocity autocorrelation", "lag, ps", "⟨v(0)·v(t)⟩ / ⟨v²⟩", correlations),
        Curves("Integral to a diffusivity", "lag, ps", "⅓ ∫⟨v(0)·v(t)⟩dt, cm²/s", running, levels={"none": 0.0}),
    ]
    numbers = [Number(f"band centre, {_named(name)}", found) for name, found in result.band_centre.items()]
    numbers += [Number(f"kinetic temperature, {_named(name)}", found) for name, found in result.temperature.items()]
    numbers += [Number(f"diffusivity from velocities, {name}", found) for name, found in result.green_kubo.items()]
    numbers += [Number(f"diffusivity from VDOS(0), {name}", found) for name, found in result.zero_frequency.items()]
    return Description(
        "Vibrations",
        "How many modes vibrate at a frequency; the area is three for each atom. What a mobile ion has at zero frequency is diffusion.",
        panels,
        numbers,
        _remarks(result, system),
    )


def _named(name: str) -> str:
    return "all atoms" if name == TOTAL else name


def _remarks(result: Vibrations, system: System) -> list[str]:
    longest = result.times[-1] / PS
    remarks = [
        f"From {result.duration / PS:.3g} ps of velocities every {result.times[1]:g} fs, up to {result.wavenumbers[-1]:.0f} cm⁻¹.",
        f"Diffusivities from velocities integrate up to {longest:.3g} ps: an ion that hops back later counts as gone. Where ions hop "
        "seldom, the MSD tells better.",
    ]
    all_atoms = result.temperature[TOTAL]
    if all_atoms.known:
        for name, found in result.temperature.items():
            off = found.value - all_atoms.value
            if name != TOTAL and abs(off) > max(WARM * all_atoms.value, 3 * np.hypot(found.error, all_atoms.error)):
                remarks.append(f"{name} is at {found.value:.0f} K, all atoms at {all_atoms.value:.0f} K: energy is not shared evenly.")
        asked = system.temperature
        if asked is not None and abs(all_atoms.value - asked) > max(WARM * asked, 3 * all_atoms.error):
            remarks.append(f"The velocities have {all_atoms.value:.0f} K, not {asked:.0f} K as asked for; what is held counts as cold.")
    return remarks
