"""The table gives what the neighbour list gives, for lists and stores, and is made anew when a frame or the cutoff changes."""

import dataclasses

import numpy as np
import pytest

import mlff.data.neighbours as neighbours
from mlff.data import cached_neighbors, write_store
from mlff.geometry import neighbor_list


def assert_is_neighbor_list(table, frames, r_max):
    assert len(table) == len(frames)
    for k, frame in enumerate(frames):
        edge_index, edge_shift = neighbor_list(frame.positions, frame.cell, frame.pbc, r_max)
        got_index, got_shift = table[k]
        np.testing.assert_array_equal(got_index, edge_index)
        np.testing.assert_array_equal(got_shift, edge_shift)
        assert (got_index.dtype, got_shift.dtype) == (edge_index.dtype, edge_shift.dtype)


def test_table_is_the_neighbor_list_of_every_frame(lj_run, tmp_path):
    table = cached_neighbors(lj_run, 4.5, tmp_path)
    assert_is_neighbor_list(table, lj_run, 4.5)
    assert table.edge_shift.dtype == np.int8
    assert isinstance(table.edges, np.memmap)
    store = write_store(tmp_path / "store", lj_run)
    np.testing.assert_array_equal(cached_neighbors(store, 4.5, tmp_path).edges, table.edges)
    with pytest.raises(IndexError, match="frame 60 was asked for, but the table holds 60"):
        table[60]


def test_unwrapped_atoms_get_wider_shifts(lj_run, tmp_path):
    far = dataclasses.replace(lj_run[0], positions=lj_run[0].positions + np.arange(32)[:, None] * 10 * lj_run[0].cell[0])
    frames = [lj_run[1], far]
    table = cached_neighbors(frames, 4.5, tmp_path)
    assert table.edge_shift.dtype == np.int16
    assert_is_neighbor_list(table, frames, 4.5)


def test_lonely_atoms_have_no_edges(lj_run, tmp_path):
    lonely = [dataclasses.replace(f, cell=f.cell * 100, positions=f.positions * 100) for f in lj_run[:2]]
    table = cached_neighbors(lonely, 4.5, tmp_path)
    assert [table[k][0].shape for k in range(2)] == [(2, 0), (2, 0)]


def test_any_change_makes_a_new_entry(lj_run, tmp_path, monkeypatch):
    computed = []
    stream = neighbours._stream
    monkeypatch.setattr(neighbours, "_stream", lambda *a: computed.append(1) or stream(*a))

    def count(frames, r_max) -> int:
        cached_neighbors(frames, r_max, tmp_path)
        return len(computed)

    frames = lj_run[:3]
    assert count(frames, 4.5) == count(frames, 4.5) == 1
    assert count(frames, 4.6) == 2
    moved = dataclasses.replace(frames[0], positions=frames[0].positions + 1e-9)
    assert count([moved, *frames[1:]], 4.5) == 3
    monkeypatch.setattr(neighbours, "version", lambda package: "99")
    assert count(frames, 4.5) == 4
    monkeypatch.setattr(neighbours, "TABLE_VERSION", 99)
    assert count(frames, 4.5) == 5
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
