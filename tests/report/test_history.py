import numpy as np

from mlff.report.history import CLOCKS, best_step, clocks, series, stage_starts

WALL, EPOCH, STEP = CLOCKS


def test_only_clocks_that_advance_are_offered():
    rows = [{"step": 0, "epoch": 0, "wall_time_s": ""}, {"step": 10, "epoch": 0, "wall_time_s": ""}]
    assert clocks(rows) == [STEP]
    assert clocks([]) == []


def test_rows_without_a_value_are_left_out():
    rows = [
        {"step": 0, "wall_time_s": 0.0, "lr": 1e-3},
        {"step": 1, "wall_time_s": 60.0, "val_force_mae": "50", "lr": ""},
        {"step": 2, "wall_time_s": 120.0, "val_force_mae": float("nan")},
        {"step": 3, "wall_time_s": 180.0, "val_force_mae": 40.0},
    ]
    minutes, errors = series(rows, WALL, "val_force_mae")
    np.testing.assert_allclose(minutes, [1.0, 3.0])
    np.testing.assert_allclose(errors, [50.0, 40.0])
    assert series(rows, WALL, "val_energy_mae") is None
    assert best_step(minutes, errors) == (3.0, 40.0)


def test_long_curves_are_averaged_in_blocks():
    rows = [{"step": step, "train_loss": 1.0 + step % 2} for step in range(4000)]
    steps, loss = series(rows, STEP, "train_loss")
    assert len(steps) == 400
    np.testing.assert_allclose(loss, 1.5)


def test_stages_begin_where_the_name_changes():
    rows = [{"step": s, "stage": stage} for s, stage in ((0, 1.0), (5, 1.0), (9, "2"), (12, "2"), (20, "polish"))]
    assert stage_starts(rows, STEP) == [(9.0, "stage 2"), (20.0, "polish")]


def test_a_stage_that_an_epoch_averages_over_begins_once():
    """Of 42 steps in the epoch, 17 belong to the second stage; the row before it averages ones in float32."""
    stages = (1.0, 1.0000001, 1.40476, 2.0, 1.99, 2)
    assert stage_starts([{"epoch": epoch, "stage": stage} for epoch, stage in enumerate(stages)], EPOCH) == [(2.0, "stage 2")]
    assert stage_starts([{"epoch": epoch, "stage": 1.0} for epoch in range(4)], EPOCH) == []
