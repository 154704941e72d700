"""A plane on disk: the same numbers, no pickle, and what does not fit is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from softness.artefact import Softness
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions

CELL = np.eye(3) * 11.0
SYMBOLS = ["Li"] * 40 + ["S"] * 60


@pytest.fixture
def artefact(rng):
    functions = RadialFunctions(("Li", "S"), last=5.0)
    features = np.concatenate([functions.of_frame(rng.random((100, 3)) @ CELL, CELL, SYMBOLS, np.arange(40)) for _ in range(5)])
    return Softness(Hyperplane(Cs=[0.1, 1.0]).fit(features, features[:, 3] > np.median(features[:, 3])), functions, "Li", {"percent": 10})


def test_it_comes_back_the_same(artefact, tmp_path, rng):
    again = Softness.load(artefact.save(tmp_path / "plane"))
    positions = rng.random((100, 3)) @ CELL
    np.testing.assert_array_equal(again.of_frame(positions, CELL, SYMBOLS), artefact.of_frame(positions, CELL, SYMBOLS))
    assert again.plane.get_params() | {"Cs": None} == artefact.plane.get_params() | {"Cs": None}
    assert (again.provenance, again.functions, again.plane.losses_) == (artefact.provenance, artefact.functions, artefact.plane.losses_)
    features = artefact.functions.of_frame(positions, CELL, SYMBOLS, np.arange(40))
    np.testing.assert_array_equal(again.plane.predict_proba(features), artefact.plane.predict_proba(features))


def test_whoever_reads_the_files_gets_softness_from_raw_features(artefact, tmp_path, rng):
    from safetensors.numpy import load_file

    folder = artefact.save(tmp_path / "plane")
    card, arrays = json.loads((folder / "plane.json").read_text()), load_file(folder / "plane.safetensors")
    positions = rng.random((100, 3)) @ CELL
    features = artefact.functions.of_frame(positions, CELL, SYMBOLS, np.arange(40))
    found = features @ arrays["raw_weights"] + card["softness"]["raw_intercept"]
    np.testing.assert_allclose(found, artefact.of_frame(positions, CELL, SYMBOLS), atol=1e-10)
    assert len(card["columns"]) == features.shape[1]


def test_what_does_not_fit_is_refused(artefact, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no plane.json, expected the folder of a fitted plane"):
        Softness.load(tmp_path)
    folder = artefact.save(tmp_path / "plane")
    with pytest.raises(ValueError, match="found no Li in the structure"):
        artefact.of_frame(np.zeros((1, 3)), CELL, ["S"])
    card = json.loads((folder / "plane.json").read_text())
    (folder / "plane.json").write_text(json.dumps(card | {"schema": 99}))
    with pytest.raises(ValueError, match="found schema 99, expected at most 1; update this project"):
        Softness.load(folder)
    (folder / "plane.json").write_text(json.dumps(card | {"functions": card["functions"] | {"last": 6.0}}))
    with pytest.raises(ValueError, match=r"found weights of shape \(32,\), expected \(42,\) as its columns"):
        Softness.load(folder)


def test_species_that_it_was_not_fitted_to_are_refused(artefact, tmp_path):
    """Of a plane of lithium alone P and S are no columns, and a germanium among them would go unnoticed."""
    known = replace(artefact, species=("Li", "S"))
    again = Softness.load(known.save(tmp_path / "plane"))
    positions = np.random.default_rng(0).random((100, 3)) @ CELL
    assert np.isfinite(again.of_frame(positions, CELL, SYMBOLS)).all()
    with pytest.raises(ValueError, match="found Ge in the structure, expected species that the plane was fitted to, Li, S"):
        again.of_frame(positions, CELL, [*SYMBOLS[:-1], "Ge"])


def test_a_plane_that_was_killed_while_it_was_written_is_the_one_before(artefact, tmp_path, monkeypatch):
    folder = artefact.save(tmp_path / "plane")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("softness.artefact.os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        replace(artefact, provenance={"percent": 50}).save(folder)
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert Softness.load(folder).provenance == {"percent": 10}
