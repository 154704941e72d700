"""Closed forms by hand, each set so that the likeliest wrong average gives another number."""

import json
import re
import subprocess
import sys
from io import StringIO

import numpy as np
import pytest

from mlff.data.frame import Frame
from mlff.train.metrics import FramePrediction, MetricsAccumulator, compute_metrics, format_number, metrics_table, print_metrics


def frame(numbers, *, energy=None, forces=None, stress=None, index=0, **info):
    return Frame(
        numbers=np.array(numbers),
        positions=np.arange(3.0 * len(numbers)).reshape(-1, 3),
        cell=np.zeros((3, 3)),
        pbc=np.zeros(3, bool),
        energy=energy,
        forces=None if forces is None else np.array(forces, float),
        stress=None if stress is None else np.array(stress, float),
        energy_kind="free",
        source="hand.extxyz",
        index=index,
        info=info,
    )


def predicted(energy=0.0, forces=((0, 0, 0),), stress=None):
    return FramePrediction(energy, np.array(forces, float), None if stress is None else np.array(stress, float))


def random_set(rng, n_frames=7):
    frames, predictions = [], []
    for index in range(n_frames):
        numbers = rng.choice([3, 15, 16], size=rng.integers(2, 6))
        labels = {"energy": rng.normal(), "forces": rng.normal(size=(len(numbers), 3)), "stress": rng.normal(size=(3, 3))}
        labels["energy"] = None if index == 2 else labels["energy"]
        labels["stress"] = None if index % 3 == 0 else labels["stress"]
        frames.append(frame(numbers, **labels, index=index, temperature=300.0 * (1 + index % 2), config_type="ab"[index % 2]))
        predictions.append(predicted(rng.normal(), rng.normal(size=(len(numbers), 3)), rng.normal(size=(3, 3))))
    return frames, predictions


def leaves(tree, path=()):
    if isinstance(tree, dict):
        return {leaf: value for key, branch in tree.items() for leaf, value in leaves(branch, (*path, key)).items()}
    return {path: np.nan if tree is None else tree}


def test_energies_are_per_atom_and_every_frame_counts_the_same():
    # 10 meV on 1 atom and 90 meV on 3 atoms: 10 and 30 meV/atom; weighting by atoms would give a MAE of 25, not 20
    frames = [frame([3], energy=1.0), frame([3, 3, 3], energy=2.0)]
    row = compute_metrics(frames, [predicted(1.01), predicted(2.09, np.zeros((3, 3)))], ["Li"])["overall"]
    assert row["energy_mae"] == pytest.approx(20.0)
    assert row["energy_rmse"] == pytest.approx(np.sqrt((10**2 + 30**2) / 2))
    assert row["n_energy"] == 2


def test_a_constant_offset_is_bias_and_leaves_no_shifted_error():
    frames = [frame([3, 3], energy=e) for e in (0.0, 1.0, 2.0)]
    row = compute_metrics(frames, [predicted(e - 0.1, np.zeros((2, 3))) for e in (0.0, 1.0, 2.0)], [])["overall"]
    assert row["energy_bias"] == pytest.approx(-50.0)  # predicted below the reference
    assert row["energy_mae"] == pytest.approx(50.0)
    assert row["energy_mae_shifted"] == pytest.approx(0.0, abs=1e-10)


def test_the_shifted_error_is_the_mean_deviation_from_the_bias():
    frames = [frame([3], energy=0.0)] * 3
    row = compute_metrics(frames, [predicted(e) for e in (0.001, 0.002, 0.006)], [])["overall"]
    assert row["energy_mae_shifted"] == pytest.approx((2 + 1 + 3) / 3)


def test_forces_are_averaged_over_components_and_not_over_vectors():
    # error (3, 4, 0) and (0, 0, 0) meV/Å: per vector the MAE would be 2.5 and the RMSE 3.54
    frames = [frame([3, 16], forces=[[1, 0, 0], [0, 1, 0]])]
    row = compute_metrics(frames, [predicted(0.0, [[1.003, 0.004, 0], [0, 1, 0]])], ["Li"])["overall"]
    assert row["force_mae"] == pytest.approx(7 / 6)
    assert row["force_rmse"] == pytest.approx(np.sqrt(25 / 6))
    assert row["n_force"] == 6


def test_every_atom_counts_the_same_for_forces_however_large_its_frame():
    # 9 meV/Å on 1 atom, 0 on 2: per frame the MAE would be 4.5
    frames = [frame([3], forces=[[0, 0, 0]]), frame([3, 3], forces=np.zeros((2, 3)))]
    row = compute_metrics(frames, [predicted(0.0, [[0.009] * 3]), predicted(0.0, np.zeros((2, 3)))], ["Li"])["overall"]
    assert row["force_mae"] == pytest.approx(3.0)


def test_relative_error_is_rmse_over_the_rms_of_the_reference():
    frames = [frame([3], forces=[[3, 0, 4]])]
    metrics = compute_metrics(frames, [predicted(0.0, [[3.3, 0, 4.4]])], ["Li"])
    assert metrics["overall"]["force_relative"] == pytest.approx(10.0)
    assert metrics["mobile_force_slope"] == pytest.approx(1.1)


def test_the_slope_goes_through_the_origin_of_predicted_against_reference():
    # F_pred = 2, 1 at F_ref = 1, 2: Σ F_ref F_pred / Σ F_ref² = 4/5; with an intercept the slope would be −1
    frames = [frame([3, 3], forces=[[1, 0, 0], [2, 0, 0]])]
    assert compute_metrics(frames, [predicted(0.0, [[2, 0, 0], [1, 0, 0]])], ["Li"])["mobile_force_slope"] == pytest.approx(0.8)


def test_stress_is_the_mean_over_nine_components():
    # shear xy wrong by 9 meV/Å³: it stands twice among nine; over Voigt's six it would be 1.5
    stress = np.zeros((3, 3))
    wrong = stress.copy()
    wrong[0, 1] = wrong[1, 0] = 0.009
    row = compute_metrics([frame([3], stress=stress)], [predicted(stress=wrong)], [])["overall"]
    assert row["stress_mae"] == pytest.approx(2.0)
    assert row["stress_rmse"] == pytest.approx(np.sqrt(2 * 81 / 9))
    assert row["stress_mae_gpa"] == pytest.approx(0.002 * 160.21766208)
    assert row["n_stress"] == 1


def test_elements_mobile_ions_and_framework_are_apart():
    frames = [frame([3, 15, 16], forces=np.zeros((3, 3)), energy=0.0)]
    metrics = compute_metrics(frames, [predicted(0.0, [[0.001] * 3, [0.002] * 3, [0.004] * 3])], ["Li"])
    assert {symbol: row["force_mae"] for symbol, row in metrics["per_element"].items()} == pytest.approx({"Li": 1.0, "P": 2.0, "S": 4.0})
    assert metrics["mobile"]["force_mae"] == pytest.approx(1.0)
    assert metrics["framework"]["force_mae"] == pytest.approx(3.0)
    assert metrics["mobile"]["energy_mae"] is None


def test_temperatures_and_config_types_are_apart_and_in_order():
    frames = [frame([3], energy=0.0, temperature=t, config_type=c) for t, c in ((1000, "slab"), (300.0, "bulk"), (300, "bulk"))]
    metrics = compute_metrics(frames, [predicted(e) for e in (0.004, 0.001, 0.003)], [])
    assert list(metrics["per_temperature"]) == ["300", "1000"]  # by value: by the alphabet 1000 comes first
    assert metrics["per_temperature"]["300"]["energy_mae"] == pytest.approx(2.0)
    assert metrics["per_config_type"]["slab"]["energy_mae"] == pytest.approx(4.0)


def test_config_types_cross_temperatures_only_where_both_vary():
    conditions = ((1000, "slab"), (300.0, "slab"), (300, "bulk"), (300, "bulk"))
    frames = [frame([3], energy=0.0, temperature=t, config_type=c) for t, c in conditions]
    predictions = [predicted(e) for e in (0.004, 0.001, 0.003, 0.007)]
    crossed = compute_metrics(frames, predictions, [])["per_config_type_and_temperature"]
    errors = {kind: {t: row["energy_mae"] for t, row in rows.items()} for kind, rows in crossed.items()}
    assert errors == {"bulk": {"300": pytest.approx(5.0)}, "slab": {"300": pytest.approx(1.0), "1000": pytest.approx(4.0)}}
    assert list(crossed["slab"]) == ["300", "1000"]
    assert json.loads(json.dumps(crossed)) == crossed
    for same in (slice(0, 2), slice(1, 4), slice(2, 4)):  # one type, one temperature, one of each
        assert compute_metrics(frames[same], predictions[same], [])["per_config_type_and_temperature"] == {}
    unnamed = [frame([3], energy=0.0, temperature=t) for t in (300, 600)]
    assert compute_metrics(unnamed, predictions[:2], [])["per_config_type_and_temperature"] == {}


def test_missing_labels_are_masked_and_never_zero():
    frames = [frame([3], energy=1.0), frame([3], forces=[[1, 1, 1]])]
    predictions = [predicted(1.002, [[9, 9, 9]], np.ones((3, 3))), predicted(5.0, [[1.001] * 3])]
    row = compute_metrics(frames, predictions, ["Li"])["overall"]
    assert (row["energy_mae"], row["force_mae"]) == (pytest.approx(2.0), pytest.approx(1.0))
    assert row["stress_mae"] is None
    assert row["stress_rmse_gpa"] is None
    assert (row["n_energy"], row["n_force"], row["n_stress"]) == (1, 3, 0)


def test_a_potential_without_stress_has_no_stress_error():
    row = compute_metrics([frame([3], stress=np.eye(3))], [predicted()], [])["overall"]
    assert row["stress_mae"] is None


def test_the_order_of_frames_does_not_matter():
    frames, predictions = random_set(np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(len(frames))
    shuffled = compute_metrics([frames[i] for i in order], [predictions[i] for i in order], ["Li"])
    assert leaves(shuffled) == pytest.approx(leaves(compute_metrics(frames, predictions, ["Li"])), rel=1e-12, nan_ok=True)


def test_parts_merged_equal_the_whole():
    frames, predictions = random_set(np.random.default_rng(3))
    parts = [MetricsAccumulator(["Li"]), MetricsAccumulator(["Li"])]
    for index, pair in enumerate(zip(frames, predictions, strict=True)):
        parts[index > 2].update(*pair)
    parts[0].merge(parts[1])
    assert leaves(parts[0].result()) == pytest.approx(leaves(compute_metrics(frames, predictions, ["Li"])), rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (predicted(np.nan), "energy"),
        (predicted(0.0, [[0, np.inf, 0]]), "forces"),
        (predicted(0.0, [[0, 0, 0]], np.full((3, 3), np.nan)), "stress"),
    ],
)
def test_a_prediction_that_is_not_finite_names_the_frame(bad, word):
    with pytest.raises(ValueError, match=rf"hand\.extxyz, frame 17.*{word} is not finite"):
        compute_metrics([frame([3], energy=0.0, index=17)], [bad], ["Li"])


def test_predictions_of_another_frame_are_refused():
    with pytest.raises(ValueError, match=r"frame 4.*forces have shape \(2, 3\), expected \(1, 3\)"):
        compute_metrics([frame([3], energy=0.0, index=4)], [predicted(0.0, np.zeros((2, 3)))], [])
    with pytest.raises(ValueError, match="1 frames but 0 predictions"):
        compute_metrics([frame([3], energy=0.0)], [], [])


def test_mobile_species_must_be_symbols():
    with pytest.raises(ValueError, match="chemical symbols"):
        MetricsAccumulator(["lithium"])
    with pytest.raises(ValueError, match=r'expected a collection.*\("Li",\)'):
        MetricsAccumulator("Li")
    with pytest.raises(ValueError, match="mobile species"):
        MetricsAccumulator(["Li"]).merge(MetricsAccumulator(["Na"]))


def test_rows_in_reading_order_and_units_in_the_headings():
    frames, predictions = random_set(np.random.default_rng(4))
    metrics = compute_metrics(frames, predictions, ["Li"])
    names = [row["name"] for row in metrics_table(metrics)]
    assert names == ["overall", "Li (mobile)", "P", "S", "framework", "300 K", "600 K", "a", "b"]
    printed = StringIO()
    print_metrics(metrics, "test", file=printed)
    text = printed.getvalue()
    assert all(unit in text for unit in ("meV/atom", "meV/Å", "GPa", "test, 7 frames"))
    assert [len(re.findall(rf"\b{word}\b", text)) for word in ("energy", "force", "stress", "E", "F")] == [3, 4, 1, 0, 0]
    assert len(re.findall(r"\bS\b", text)) == 1  # sulphur, and no column
    assert "…" not in text  # numbers this large do not fit 80 columns, and must not be cut
    assert f"{metrics['per_element']['P']['force_mae']:.1f}" in text


def test_a_part_has_a_row_where_it_joins_elements():
    frames, predictions = random_set(np.random.default_rng(5))

    def names(mobile):
        return [
            row["name"] for row in metrics_table(compute_metrics(frames, predictions, mobile)) if row["group"] in ("per_element", "parts")
        ]

    assert names(["Li", "P"]) == ["Li", "P", "S (framework)", "mobile"]
    assert names([]) == ["Li", "P", "S", "framework"]


@pytest.mark.parametrize(
    ("value", "spec", "text"), [(None, ".1f", "–"), (-1.234, ".2f", "−1.23"), (-1e-4, ".2f", "0.00"), (1e-4, "+.2f", "0.00"), (0, ",", "0")]
)
def test_numbers_have_a_real_minus_and_zero_has_no_sign(value, spec, text):
    assert format_number(value, spec) == text


def test_metrics_need_neither_torch_nor_lightning():
    code = (
        "import sys, mlff.train.metrics; print([m for m in ('torch', 'lightning', 'pytorch_lightning', 'matplotlib') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
