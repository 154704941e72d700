import copy

import pytest

from mlff.report import honest_warnings, summary_sentence

CLEAN = {"leaks": False, "split_description": "blocks of the trajectory", "energies_identifiable": True, "charged": False}


def clean(content):
    """Metrics that deserve no warning: all temperatures trained on, test error like the training error."""
    metrics = copy.deepcopy({split: content.metrics[split] for split in ("train", "val", "test")})
    metrics["test"]["per_temperature"].pop("1200")
    metrics["train"]["overall"]["force_mae"] = metrics["test"]["overall"]["force_mae"]
    return metrics


def test_nothing_to_warn_of(content):
    assert honest_warnings(clean(content), **CLEAN) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"leaks": True, "split_description": "random frames"}, "Split: random frames."),
        ({"energies_identifiable": False}, "not identifiable"),
        ({"charged": True}, "No long-range electrostatics"),
    ],
)
def test_each_flaw_is_named(content, change, words):
    (warning,) = honest_warnings(clean(content), **(CLEAN | change))
    assert words in warning


def test_extrapolated_temperatures_are_named(content):
    metrics = clean(content)
    metrics["test"]["per_temperature"]["1200"] = content.metrics["test"]["per_temperature"]["1200"]
    (warning,) = honest_warnings(metrics, **CLEAN)
    assert "1200 K" in warning
    assert "300–900 K" in warning


def test_missing_labels_are_named_with_the_split(content):
    metrics = clean(content)
    metrics["val"]["overall"]["n_stress"] = 0
    (warning,) = honest_warnings(metrics, **CLEAN)
    assert warning.startswith("No stress labels in val:")


def test_overfitting_and_a_missing_test_split_are_named(content):
    metrics = clean(content)
    metrics["test"]["overall"]["force_mae"] *= 2
    assert "2.0 times the training error" in honest_warnings(metrics, **CLEAN)[0]
    del metrics["test"]
    assert "No test split" in honest_warnings(metrics, **CLEAN)[0]


def test_the_sentence_holds_the_numbers_of_the_test_split(content):
    sentence = summary_sentence(content.metrics, "Li")
    row = content.metrics["test"]["overall"]
    assert f"{row['force_mae']:.1f} meV/Å" in sentence
    assert f"{row['energy_mae']:.2f} meV/atom" in sentence
    assert "120 test frames" in sentence
    assert f"force slope of {content.metrics['test']['mobile_force_slope']:.3f}" in sentence
    assert "validation frames" in summary_sentence({split: content.metrics[split] for split in ("train", "val")})


@pytest.mark.parametrize(("key", "limit"), [("force_mae", 1.5), ("energy_mae", 2.0)])
def test_a_configuration_type_that_stands_apart_is_named_with_its_numbers(content, key, limit):
    metrics = clean(content)
    metrics["test"]["overall"] |= {"force_mae": 40.0, "energy_mae": 3.0}
    metrics["train"]["overall"]["force_mae"] = 40.0
    for row in metrics["test"]["per_config_type"].values():
        row |= {"force_mae": 40.0, "energy_mae": 3.0}
    weak = metrics["test"]["per_config_type"]["strained"]
    weak[key] = 0.99 * limit * metrics["test"]["overall"][key]
    assert honest_warnings(metrics, **CLEAN) == []
    weak[key] = 1.01 * limit * metrics["test"]["overall"][key]
    (warning,) = honest_warnings(metrics, **CLEAN)
    force, energy = weak["force_mae"], weak["energy_mae"]
    assert warning.startswith(
        f"strained: force {force:.1f} meV/Å, energy {energy:.1f} meV/atom, against 40.0 and 3.0 overall: do not trust"
    )


def test_a_configuration_type_with_forces_alone_is_judged_by_them(content):
    metrics = clean(content)
    metrics["test"]["per_config_type"]["strained"] |= {"energy_mae": None, "force_mae": 3 * metrics["test"]["overall"]["force_mae"]}
    (warning,) = honest_warnings(metrics, **CLEAN)
    assert warning.startswith("strained: force")
    assert "energy" not in warning


@pytest.mark.parametrize(("relative", "usable"), [(29.9, True), (30.1, False), (None, True)])
def test_forces_wrong_by_a_third_are_not_for_dynamics(content, relative, usable):
    metrics = clean(content)
    metrics["test"]["overall"]["force_relative"] = relative
    warnings = honest_warnings(metrics, **CLEAN)
    assert any(w.startswith("Not usable for dynamics") for w in warnings) != usable
    assert len(warnings) == (not usable)
