from dataclasses import replace

from mlff.analysis.anions.orientation import OrientationAccumulator
from mlff.report.observables import describe
from tests.contracts import observables


def described(rng, **changes):
    system, frames, _ = observables.walk(rng)
    system = replace(system, **changes)
    accumulator = OrientationAccumulator.of(system)
    accumulator.update(frames)
    return describe(accumulator.result(), system)


def test_what_is_shown(rng):
    found = described(rng)
    assert [panel.title for panel in found.panels] == [
        "One direction in time, PS4",
        "Turned since the first frame, PS4",
        "Angles to the axes, PS4 bonds",
        "Free energy, PS4 bonds",
        "Free energy of directions, PS4 bonds",
        "Memory, PS4 bonds",
    ]
    assert [number.name for number in found.numbers] == [
        "reorientations per anion, PS4",
        "D_r from C1, PS4 bonds",
        "D_r from C2, PS4 bonds",
    ]
    assert any("reorientations of 2 anions" in remark for remark in found.remarks)


def test_without_a_temperature_there_is_no_free_energy(rng):
    found = described(rng, temperature=None)
    assert "Directions, PS4 bonds" in [panel.title for panel in found.panels]
    assert not any("Free energy" in panel.title for panel in found.panels)
    assert any("no free energy" in remark for remark in found.remarks)
