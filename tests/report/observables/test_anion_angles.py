import numpy as np

from mlff.analysis.anions.anion_angles import AnionAnglesAccumulator
from mlff.report.observables import describe
from tests.contracts import observables


def described(rng, n_frames=3000):
    system, frames, _ = observables.walk(rng)
    accumulator = AnionAnglesAccumulator.of(system, most=1)
    accumulator.update(type(frames)(frames.steps[:n_frames], frames.positions[:n_frames], frames.cells[:n_frames]))
    return describe(accumulator.result(), system)


def test_what_is_shown(rng):
    found = described(rng)
    assert [panel.title for panel in found.panels] == ["Angles, PS4", "Angular velocity, PS4", "Angles in time, PS4"]
    assert [curve.name for curve in found.panels[0].curves] == ["all", "below 5 cm⁻¹"]
    assert found.panels[0].marks == {"undistorted": 60.0}
    assert [number.name for number in found.numbers] == [  # no mean: of twelve angles it is always 60°
        "spread of the angles, PS4",
        "skewness of the angles, PS4",
        "angular velocity, root mean square, PS4",
    ]
    assert all(number.estimate.known for number in found.numbers)


def test_what_must_be_known(rng):
    """The atoms shake from frame to frame without memory: no spacing resolves that, and the remark says so."""
    remarks = " ".join(described(rng, 500).remarks)
    assert "too far apart for the angular velocity of PS4" in remarks
    assert "1 of 2 tetrahedra PS4 are followed" in remarks
    assert "shorter than the low-pass filter" in remarks
    curves = described(rng, 500).panels[0].curves
    assert all(np.isfinite(curve.y).all() for curve in curves)
