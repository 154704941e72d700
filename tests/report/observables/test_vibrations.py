import numpy as np
import pytest

from mlff.report.observables import describe
from mlff.units import AMU, K_B
from tests.contracts import observables


def test_it_shows_spectra_and_tells_of_uneven_temperatures(rng):
    system, _, velocities = observables.walk(rng)
    accumulator = observables.make("vibrations", system)
    accumulator.update(velocities)
    description = describe(accumulator.result(), system)
    titles = [panel.title for panel in description.panels]
    assert titles == ["VDOS", "VDOS, not smoothed", "Velocity autocorrelation", "Integral to a diffusivity"]
    spectra = description.panels[0]
    assert [curve.name for curve in spectra.curves] == ["Li", "P", "S", "total"]
    assert list(spectra.marks) == ["band centre of Li"]
    assert spectra.curves[0].x[-1] < 1700
    numbers = {number.name: number.estimate for number in description.numbers}
    assert numbers["band centre, all atoms"].unit == "cm⁻¹"
    # white noise of 0.01 Å/fs along each axis: m v² = k T is other for each species, and the density the same at all frequencies
    shares = system.masses / system.masses.sum()
    from_centre = 1 - 2 * shares[-1] + (shares**2).sum()  # of the noise, in the frame of the centre of mass
    assert numbers["kinetic temperature, Li"].value == pytest.approx(6.94 * AMU * 1e-4 / K_B * from_centre, rel=0.02)
    assert numbers["band centre, Li"].value == pytest.approx(834, rel=0.05)
    assert {"diffusivity from velocities, Li", "diffusivity from VDOS(0), S"} <= set(numbers)
    text = " ".join(description.remarks)
    assert "up to 1668 cm⁻¹" in text
    assert "S is at" in text
    assert "not 600 K as asked for" in text
    assert np.isfinite(spectra.curves[0].error).all()
