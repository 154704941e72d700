import json

import pytest
from safetensors.torch import load_file, save_file

from mlff.artefact import load, save
from tests.checks import answer_of, frame_of
from tests.contracts.potentials import architectures, build, crystal, describe


@pytest.fixture
def saved(tmp_path, rng):
    potential = build("lean2", size="XS")
    golden = [frame_of(crystal(rng)) for _ in range(2)]
    card = {"name": "test", "version": "0.1.0", "model": describe("lean2", size="XS"), "dtype": "float64"}
    return save(tmp_path / "model", potential, card, golden), potential


@pytest.mark.parametrize("name", architectures())
def test_a_model_comes_back_as_it_was(name, tmp_path, rng):
    potential = build(name).float()
    save(tmp_path / "model", potential, {"model": describe(name), "dtype": "float32"}, [])
    back = load(tmp_path / "model").potential
    atoms = crystal(rng)
    assert (answer_of(back)(atoms).forces == answer_of(potential)(atoms).forces).all()
    assert back.species == potential.species
    assert back.r_max == potential.r_max


def test_the_shipped_model_goes_by_its_name():
    assert load("bundled:li3ps4").card["species"] == ["Li", "P", "S"]
    with pytest.raises(FileNotFoundError, match="bundles no model 'nothing'; it has li3ps4"):
        load("bundled:nothing")


def test_colleagues_may_read_it(saved):
    """Every file has the permissions that any new file has."""
    plain = saved[0].parent / "plain"
    plain.touch()
    assert {file.stat().st_mode for file in saved[0].iterdir()} == {plain.stat().st_mode}


def test_nothing_in_it_is_a_pickle(saved):
    assert sorted(p.name for p in saved[0].iterdir()) == ["card.json", "golden.safetensors", "weights.safetensors"]
    json.loads((saved[0] / "card.json").read_text())


def test_another_version_is_refused(saved):
    card = json.loads((saved[0] / "card.json").read_text())
    (saved[0] / "card.json").write_text(json.dumps(card | {"schema": 99, "version": "7.0.0"}))
    with pytest.raises(ValueError, match=r"schema 99, but this version of mlff reads 1 to 3; it was written by mlff 7\.0\.0"):
        load(saved[0])


def test_weights_of_another_model_are_refused(saved):
    weights = load_file(saved[0] / "weights.safetensors")
    save_file({k: v for k, v in weights.items() if "hop" not in k}, saved[0] / "weights.safetensors")
    with pytest.raises(ValueError, match="do not fit its card"):
        load(saved[0])


def test_a_damaged_file_is_refused(saved):
    content = (saved[0] / "weights.safetensors").read_bytes()
    (saved[0] / "weights.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"weights\.safetensors is no safetensors file .* it is damaged: copy the artefact again"):
        load(saved[0])
    (saved[0] / "card.json").write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        load(saved[0])


def test_a_folder_that_is_no_artefact(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"holds no weights\.safetensors, card\.json, golden\.safetensors, expected a model artefact"
    ):
        load(tmp_path)


def test_nothing_else_is_overwritten(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("x")
    with pytest.raises(ValueError, match="exists and is no model artefact"):
        save(tmp_path / "thesis", build("pair"), {"model": describe("pair"), "dtype": "float64"}, [])
    assert (tmp_path / "thesis" / "chapter1.tex").exists()


def test_a_failed_save_keeps_the_old_one(saved, monkeypatch):
    path, potential = saved
    with pytest.raises(TypeError):
        save(path, potential, {"model": describe("lean2"), "bad": object()}, [])
    assert load(path).card["name"] == "test"
    assert [p.name for p in path.parent.iterdir()] == ["model"]
