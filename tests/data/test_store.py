"""The store returns what was written, survives a killed writer, and reads one frame without reading all."""

import os
import pickle
import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from mlff.data import Frame, FrameStore, write_store


def assert_same(one: Frame, other: Frame) -> None:
    for name in ("numbers", "positions", "cell", "pbc", "forces", "stress"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.energy, one.energy_kind, one.source, one.index) == (other.energy, other.energy_kind, other.source, other.index)
    assert one.info == other.info


def test_every_field_comes_back_exactly(lj_run, tmp_path):
    bare = Frame([3], np.ones((1, 3)), np.zeros((3, 3)), [True, False, False], None, None, None)
    store = write_store(tmp_path / "store", [*lj_run, bare])
    assert len(store) == 61
    for one, other in zip(store, [*lj_run, bare], strict=True):
        assert_same(one, other)
    assert store[-1].forces is None
    assert [frame.index for frame in store[2:5]] == [2, 3, 4]


def test_writing_again_appends(lj_run, tmp_path):
    write_store(tmp_path / "store", lj_run[:20])
    store = write_store(tmp_path / "store", iter(lj_run[20:]))
    assert [frame.energy for frame in store] == [frame.energy for frame in lj_run]


def test_workers_get_the_path_and_map_the_files_themselves(lj_run, tmp_path):
    store = write_store(tmp_path / "store", lj_run)
    sent = pickle.dumps(store)
    assert len(sent) < 1000  # bytes: no frame travels
    assert_same(pickle.loads(sent)[7], lj_run[7])


@pytest.mark.parametrize(("file", "cut"), [("frames.bin", 5), ("frames.bin", 400), ("atoms.bin", 10), ("info.bin", 3)])
def test_a_torn_end_leaves_the_complete_frames_and_can_be_appended_to(lj_run, tmp_path, file, cut):
    write_store(tmp_path / "store", lj_run)
    torn = tmp_path / "store" / file
    os.truncate(torn, torn.stat().st_size - cut)
    store = FrameStore(tmp_path / "store")
    n = len(store)
    assert 55 < n < 60
    for one, other in zip(store, lj_run, strict=False):
        assert_same(one, other)
    again = write_store(tmp_path / "store", lj_run[n:])
    assert len(again) == 60
    assert_same(again[59], lj_run[59])


WRITER = """
import sys, itertools, numpy as np
from mlff.data.frame import Frame
from mlff.data.store import write_store
def frames():
    for k in itertools.count():
        if k == 1500:
            print("running", flush=True)
        yield Frame(np.full(50, 3), np.full((50, 3), float(k)), np.eye(3), True, float(k), np.zeros((50, 3)), None, index=k)
write_store(sys.argv[1], frames())
"""


def test_a_killed_writer_leaves_a_readable_store(tmp_path):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "store")], stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "running\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    store = FrameStore(tmp_path / "store")
    assert len(store) >= 1280  # all but the frames since the last flush
    assert all(frame.energy == frame.positions[3, 1] == k for k, frame in enumerate(store))


def test_reading_one_frame_does_not_load_all(lj_run, tmp_path):
    store = write_store(tmp_path / "store", (frame for _ in range(50) for frame in lj_run))
    size = (tmp_path / "store" / "atoms.bin").stat().st_size
    tracemalloc.start()
    frame = store[1234]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert frame.energy == lj_run[1234 % 60].energy
    assert peak < 50_000 < size / 50  # bytes: one frame is 2 kB


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no store.json found, expected a frame store"):
        FrameStore(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="exists and is no frame store; name a new folder"):
        write_store(tmp_path, [])
    with pytest.raises(IndexError, match="frame 3 was asked for, but the store holds 0"):
        write_store(tmp_path / "new", [])[3]
