"""history.csv: one row per step, whatever is logged when, and whoever is killed in between."""

import pytest

from mlff.train.history import HistoryLogger, read_history


def logged(folder, *entries, resume=False):
    """The history after (step, metrics) entries; the clock, which differs from run to run, left out."""
    logger = HistoryLogger(folder, resume=resume)
    for step, metrics in entries:
        logger.log_metrics(metrics, step)
    logger.finalize("success")
    return [{key: value for key, value in row.items() if key != "wall_time_s"} for row in read_history(logger.path)]


def test_what_is_logged_at_one_step_shares_a_row(tmp_path):
    rows = logged(tmp_path, (1, {"epoch": 0, "train_loss": 2.0}), (2, {"epoch": 0, "train_loss": 1.0}), (2, {"val_force_mae": 30.5}))
    assert rows == [
        {"step": "1", "epoch": "0", "train_loss": "2.0", "val_force_mae": ""},
        {"step": "2", "epoch": "0", "train_loss": "1.0", "val_force_mae": "30.5"},
    ]


def test_rows_are_on_disk_before_the_training_ends(tmp_path):
    logger = HistoryLogger(tmp_path)
    logger.log_metrics({"train_loss": 2.0}, 1)
    logger.log_metrics({"train_loss": 1.0}, 2)
    assert [row["train_loss"] for row in read_history(tmp_path / "history.csv")] == ["2.0"]  # all but the open row survives a kill


def test_a_new_training_begins_a_new_history(tmp_path):
    logged(tmp_path, (1, {"train_loss": 2.0}))
    assert [row["step"] for row in logged(tmp_path, (5, {"train_loss": 1.0}))] == ["5"]


def test_a_continued_training_replaces_the_rows_it_repeats(tmp_path):
    logged(tmp_path, (1, {"a": 1.0}), (2, {"a": 2.0}), (3, {"a": 3.0}))  # killed at 3, its checkpoint was of step 1
    rows = logged(tmp_path, (2, {"a": 20.0, "b": 7.0}), resume=True)
    assert [(row["step"], row["a"], row["b"]) for row in rows] == [("1", "1.0", ""), ("2", "20.0", "7.0")]


def test_the_clock_goes_on_where_the_interrupted_training_stopped(tmp_path):
    (tmp_path / "history.csv").write_text("step,epoch,wall_time_s,a\n1,0,100.0,1.0\n")
    logged(tmp_path, (2, {"a": 2.0}), resume=True)
    assert 100.0 <= float(read_history(tmp_path / "history.csv")[-1]["wall_time_s"]) < 101.0  # a second is plenty for one row


def test_a_metric_without_a_step_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\['loss'\] came without a step.*give log_metrics its `step`"):
        HistoryLogger(tmp_path).log_metrics({"loss": 1.0})
