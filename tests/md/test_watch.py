import pytest

from mlff.md.watch import ProgressBar


def test_a_bar_tells_speed_state_and_the_largest_drift(capsys):
    bar = ProgressBar()
    rows = {"temperature": [300.0, 500.0], "pressure": [0.01, float("nan")], "drift": [-0.003, 0.001], "deviation": [0.1, 0.25]}
    with bar.over(1000, 200, 2.0):
        bar.shows(600, 2, rows)
        words = bar._bar.postfix
        assert bar._bar.n == 600
        bar.stopped("a", "was stopped")
    for part in ("2 × ", " ns/day", "400 K", "1.60 GPa", "drift 3 meV/atom", "deviation 0.250 eV/Å"):
        assert part in words
    out = capsys.readouterr()
    assert "a was stopped" in out.out + out.err


@pytest.mark.filterwarnings("error")
def test_no_pressure_is_told_where_no_replica_has_one():
    bar = ProgressBar()
    with bar.over(10, 0, 1.0):
        bar.shows(5, 1, {"temperature": [300.0], "pressure": [float("nan")], "drift": [0.0]})
        assert "GPa" not in bar._bar.postfix
