"""Conductivities that others measured, from a CSV file."""

import numpy as np
import pytest

from mlff.run.analysis.measured import read_measured


def write(path, text: str):
    path.write_text(text, encoding="utf-8")
    return path


def test_values_become_those_of_the_plot(tmp_path):
    path = write(
        tmp_path / "e.csv",
        "name,temperature_K,conductivity_S_per_cm,error_S_per_cm\nKamaya,300,0.012,0.001\nOther,400,0.1,\nKamaya,350,0.03,0\n",
    )
    kamaya, other = read_measured(path)
    assert (kamaya.name, other.name) == ("Kamaya", "Other")
    np.testing.assert_allclose(kamaya.temperatures, [300, 350])
    np.testing.assert_allclose(kamaya.values, [300 * 0.012, 350 * 0.03])  # σT
    np.testing.assert_allclose(kamaya.errors, [0.3, 0])
    np.testing.assert_allclose(other.errors, [0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,T,sigma\nx,300,1\n", "add temperature_K, conductivity_S_per_cm"),
        ("name,temperature_K,conductivity_S_per_cm\nx,300,high\n", "line 2: found .* expected numbers"),
        ("name,temperature_K,conductivity_S_per_cm\nx,300,1\nx,300,-1\n", "line 3: found .* expected positive numbers"),
        ("name,temperature_K,conductivity_S_per_cm\nx,300\n", "line 2: found .* expected numbers"),
    ],
)
def test_what_is_no_measurement_is_refused_with_its_line(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_measured(write(tmp_path / "e.csv", text))
