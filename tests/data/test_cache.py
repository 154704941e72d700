"""What was computed once comes from the disk, until anything it depends on changes; damage is repaired."""

import json

import numpy as np
import pytest

from mlff.data.cache import cache_key, cached_array

KEY = {"frames": "abc", "r_max": 5.0, "degrees": [0, 1, 2], "version": 1}


class Counter:
    """Computes two arrays and counts how often it was asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"numbers": np.arange(10.0), "none": np.zeros((0, 3), np.int8)}


@pytest.fixture
def counter() -> Counter:
    return Counter()


def test_the_second_time_comes_from_the_disk(tmp_path, counter):
    cached_array(KEY, tmp_path, counter)
    again = cached_array(dict(reversed(KEY.items())), tmp_path, counter)
    assert counter.calls == 1
    assert isinstance(again["numbers"], np.memmap)
    assert not again["numbers"].flags.writeable
    np.testing.assert_array_equal(again["numbers"], np.arange(10.0))
    assert (again["none"].shape, again["none"].dtype) == ((0, 3), np.int8)


@pytest.mark.parametrize("part", KEY)
def test_any_change_of_the_key_computes_again(tmp_path, counter, part):
    cached_array(KEY, tmp_path, counter)
    cached_array({**KEY, part: "other"}, tmp_path, counter)
    cached_array({key: value for key, value in KEY.items() if key != part}, tmp_path, counter)
    assert counter.calls == 3


def shorten(entry):
    file = entry / "numbers.npy"
    file.write_bytes(file.read_bytes()[:-8])


def remove(entry):
    (entry / "numbers.npy").unlink()


def no_manifest(entry):
    (entry / "manifest.json").unlink()


def torn_manifest(entry):
    (entry / "manifest.json").write_text((entry / "manifest.json").read_text()[:40])


def older(entry):
    manifest = json.loads((entry / "manifest.json").read_text())
    (entry / "manifest.json").write_text(json.dumps({**manifest, "version": 0}))


@pytest.mark.parametrize("damage", [shorten, remove, no_manifest, torn_manifest, older])
def test_a_damaged_entry_is_computed_again(tmp_path, counter, damage):
    cached_array(KEY, tmp_path, counter)
    damage(tmp_path / cache_key(KEY))
    repaired = cached_array(KEY, tmp_path, counter)
    assert counter.calls == 2
    np.testing.assert_array_equal(repaired["numbers"], np.arange(10.0))
    cached_array(KEY, tmp_path, counter)
    assert counter.calls == 2


def test_another_process_may_be_faster(tmp_path, counter):
    def slow():
        cached_array(KEY, tmp_path, counter)  # what the other one writes meanwhile
        return counter()

    arrays = cached_array(KEY, tmp_path, slow)
    assert isinstance(arrays["numbers"], np.memmap)
    assert [entry.name for entry in tmp_path.iterdir()] == [cache_key(KEY)]


def test_a_failed_computation_leaves_nothing(tmp_path, counter):
    def fail():
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        cached_array(KEY, tmp_path, fail)
    with pytest.raises(ValueError, match="array 'bad' holds Python objects, expected numbers; convert it before caching"):
        cached_array(KEY, tmp_path, lambda: {"bad": np.array([{}])})
    assert list(tmp_path.iterdir()) == []


def test_a_key_must_be_plain(tmp_path, counter):
    with pytest.raises(ValueError, match="a cache key holds something that is no number, string, list or mapping"):
        cached_array({"r_max": np.float32(5)}, tmp_path, counter)
