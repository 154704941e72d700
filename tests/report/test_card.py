import json
from pathlib import Path

import mlff
from mlff.report.card import readable_card
from mlff.report.outline import outline

CARD = json.loads((Path(mlff.__file__).parent / "artefact" / "bundled" / "li3ps4" / "card.json").read_text())


def test_a_reader_finds_the_model_and_what_it_was_trained_on():
    shown = readable_card(CARD)
    assert list(shown)[:7] == ["name", "version", "architecture", "weights", "species", "r_max, Å", "dtype"]
    assert (shown["weights"], shown["species"], shown["r_max, Å"]) == (CARD["n_parameters"], CARD["species"], CARD["r_max"])
    assert shown["model options"] == {name: value for name, value in CARD["model"]["options"].items() if name != "r_max"}
    data = shown["training data"]
    assert data["training frames"] == len(CARD["data"]["train_frames"])
    assert (data["temperatures, K"], data["split"]) == (CARD["data"]["temperatures_K"], CARD["data"]["split"])
    assert data["DFT settings"] == len(CARD["data"]["dft_settings"]) > 0


def test_no_hash_and_no_metric_is_shown():
    text = str(outline(readable_card(CARD)))
    hashes = [CARD["data"]["hash"], *CARD["data"]["train_frames"], *CARD["data"]["dft_settings"]]
    assert not [name for name in hashes if name in text]
    assert "mae" not in text


def test_a_card_before_it_is_saved_says_the_same():
    """Saving adds species, r_max, schema and units to the card."""
    added = ("schema", "species", "r_max", "units")
    assert readable_card({name: value for name, value in CARD.items() if name not in added}) == readable_card(CARD)


def test_named_settings_and_entries_of_the_users_own_are_kept():
    card = CARD | {"licence": "MIT", "reference energies, eV": {"Li": -1.9}, "data": {"dft_settings": ["PBE, 500 Ry"]}}
    shown = readable_card(card)
    assert (shown["licence"], shown["reference energies, eV"]) == ("MIT", {"Li": -1.9})
    assert shown["training data"] == {"DFT settings": ["PBE, 500 Ry"]}
    assert readable_card({}) == {}
