import copy

import pytest

from mlff.report import honest_warnings, summary_sentence

CLEAN = {"leaks": False, "split_description": "blocks of the trajectory", "energies_identifiable": True, "charged": False}


def clean(content):
    """Metrics that deserve no warning: all temperatures trained on, test error like the training error."""
    metrics = copy.deepcopy({split: content.metrics[split] for split in ("train", "val", "test")})
    metrics["test"]["per_temperature"].pop("1200")
    metrics["test"]["overall"]["force_mae"] = metrics["train"]["overall"]["force_mae"]
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
