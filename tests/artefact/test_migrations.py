"""An artefact that schema 2 wrote (schema_2/: two members of `pair`, a crystal and a molecule), and what schema 1 would have."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from mlff.artefact import load, read_golden, save
from mlff.artefact.migrations import SCHEMA
from mlff.data.frame import Frame
from mlff.engine import Committee
from tests.checks import answer_of

SCHEMA_2 = Path(__file__).parent / "schema_2"


@pytest.fixture(params=[1, 2])
def old(request, tmp_path) -> Path:
    if request.param == 2:
        return SCHEMA_2
    folder = Path(shutil.copytree(SCHEMA_2, tmp_path / "schema_1"))
    card = json.loads((folder / "card.json").read_text()) | {"schema": 1}
    del card["n_members"]
    (folder / "card.json").write_text(json.dumps(card))
    first = {name: tensor[0].clone() for name, tensor in load_file(folder / "weights.safetensors").items()}
    save_file(first, folder / "weights.safetensors")
    return folder


def test_an_old_artefact_loads(old):
    artefact = load(old)
    assert artefact.card["schema"] == SCHEMA
    assert len(artefact.members) == artefact.card["n_members"] == (2 if old == SCHEMA_2 else 1)


def test_its_golden_frames_are_read_and_still_its_answers(old):
    members = load(SCHEMA_2).members  # the stored answers are theirs
    crystal, molecule = read_golden(old)
    assert crystal.atoms.get_chemical_formula() == "LiPS"
    assert crystal.atoms.pbc.all()
    assert not molecule.atoms.pbc.any()
    assert molecule.stress is None
    for golden in (crystal, molecule):
        assert golden.forces_std is None  # not stored then
        answers = [answer_of(member)(golden.atoms) for member in members]
        assert golden.energy == pytest.approx(np.mean([answer.energy for answer in answers]), abs=1e-10)
        np.testing.assert_allclose(golden.forces, np.mean([answer.forces for answer in answers], axis=0), atol=1e-10)
        assert np.abs(golden.forces).max() > 1e-3


def test_saved_again_it_is_of_the_newest_schema(old, tmp_path):
    artefact = load(old)
    save(tmp_path / "new", artefact.potential, artefact.card, [Frame.from_atoms(golden.atoms) for golden in read_golden(old)])
    assert json.loads((tmp_path / "new" / "card.json").read_text())["schema"] == SCHEMA
    assert load_file(tmp_path / "new" / "golden.safetensors")["0.pbc"].all()
    assert (tmp_path / "new" / "weights.safetensors").read_bytes() == (old / "weights.safetensors").read_bytes()
    assert (read_golden(tmp_path / "new")[0].forces_std is not None) == isinstance(artefact.potential, Committee)
