import numpy as np

from mlff.report.observables import describe
from tests.contracts import observables


def test_distribution_and_sum_are_shown(rng):
    system, frames, _ = observables.walk(rng)
    accumulator = observables.make("non_affine", system)
    accumulator.update(frames)
    shown = describe(accumulator.result(), system)
    assert [panel.title for panel in shown.panels] == ["D²_min", "D_cum"]
    assert [number.name for number in shown.numbers] == ["mean D²_min", "D²_min, 10 % below", "D²_min, 50 % below", "D²_min, 90 % below"]
    assert "29 increments of 1 ps" in shown.remarks[0]
    assert all(np.isfinite(curve.y).all() for panel in shown.panels for curve in panel.curves)
