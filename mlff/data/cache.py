"""Results on disk that are computed once per data set: arrays keyed by everything they depend on, read as memory maps."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mlff.cache_folder import cache_folder

log = logging.getLogger(__name__)

ENTRY_VERSION = 1


def cache_key(key_parts: Mapping[str, object]) -> str:
    """24 hex digits of the sha256 of the parts, which must be JSON-able.

    Raises:
        ValueError: a part that JSON cannot hold.
    """
    try:
        text = json.dumps(key_parts, sort_keys=True, allow_nan=False)
    except TypeError as error:
        raise ValueError(f"a cache key holds something that is no number, string, list or mapping ({error}); convert it first") from error
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def cached_array(
    key_parts: Mapping[str, object], folder: str | Path | None, compute: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The arrays that `compute` returns, from the disk where they were computed before for the same `key_parts`.

    One folder per key holds one .npy file per array and a manifest with their shapes and sizes. An entry is written beside its
    place and renamed, so that it is whole or absent; one that is damaged is computed again. Returned arrays are read-only maps.

    Args:
        key_parts: everything the arrays depend on (data hash, cutoffs, versions, ...), JSON-able.
        folder: None: `cache_folder()`.
        compute: called without arguments when the entry is missing; names must be usable as file names.
    """
    place = Path(folder or cache_folder()) / cache_key(key_parts)
    arrays = _read(place)
    if arrays is not None:
        return arrays
    made = {name: np.asarray(array) for name, array in compute().items()}
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        for name, array in made.items():
            if array.dtype.hasobject:
                raise ValueError(f"array {name!r} holds Python objects, expected numbers; convert it before caching")
            np.save(temporary / f"{name}.npy", array, allow_pickle=False)
        manifest = {
            "version": ENTRY_VERSION,
            "key": json.loads(json.dumps(key_parts)),
            "arrays": {name: {"shape": list(a.shape), "dtype": a.dtype.str} for name, a in made.items()},
            "bytes": {name: (temporary / f"{name}.npy").stat().st_size for name in made},
        }
        (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1))
        if place.exists() and _read(place) is None:
            shutil.rmtree(place)
        try:
            temporary.rename(place)
        except OSError:
            if _read(place) is None:  # not another process that was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _read(place) or made


def _read(place: Path) -> dict[str, np.ndarray] | None:
    """The entry as memory maps; None where it is absent or damaged."""
    if not place.is_dir():
        return None
    try:
        manifest = json.loads((place / "manifest.json").read_text())
        if manifest["version"] != ENTRY_VERSION:
            return None
        arrays = {}
        for name, described in manifest["arrays"].items():
            file = place / f"{name}.npy"
            if file.stat().st_size != manifest["bytes"][name]:
                raise ValueError(f"{file} has {file.stat().st_size} bytes, expected {manifest['bytes'][name]}")
            # an empty array cannot be mapped
            empty = 0 in described["shape"]
            array = np.load(file, mmap_mode=None if empty else "r", allow_pickle=False)
            if list(array.shape) != described["shape"] or array.dtype.str != described["dtype"]:
                raise ValueError(f"{file} holds {array.dtype} {array.shape}, expected {described}")
            arrays[name] = array
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        log.warning("%s: damaged cache entry (%s); it is computed again", place, error)
        return None
    return arrays
