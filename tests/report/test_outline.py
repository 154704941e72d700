from mlff.report.outline import outline, plain


def test_mappings_with_the_same_fields_become_one_table():
    entries = outline({"split": "blocks", "train": {"frames": 10, "atoms": 830}, "test": {"frames": 5, "atoms": 415}})
    assert [(entry.kind, entry.name) for entry in entries] == [("table", ""), ("pair", "split")]
    assert entries[0].value == (["frames", "atoms"], {"train": ["10", "830"], "test": ["5", "415"]})


def test_records_become_a_table_with_their_first_field_as_name():
    (entry,) = outline({"layers": [{"name": "a", "width": 3}, {"name": "b", "depth": None}]})
    assert entry.value == (["width", "depth"], {"a": ["3", "–"], "b": ["–", "–"]})


def test_one_number_per_element_becomes_a_row_under_the_symbols():
    (entry,) = outline({"reference energies, eV": {"Li": -1.9081, "P": -5.3642}})
    assert (entry.kind, entry.name, entry.value) == ("table", "reference energies, eV", (["Li", "P"], {"eV": ["−1.9081", "−5.3642"]}))
    (entry,) = outline({"neighbours": {"Li": 41, "P": 38}})
    assert (entry.name, entry.value) == ("neighbours", (["Li", "P"], {"neighbours": ["41", "38"]}))
    assert [entry.kind for entry in outline({"options": {"size": 3, "P": 2}})] == ["inner"]


def test_short_entries_come_before_long_ones_and_what_is_inside():
    entries = outline({"inside": {"a": 1, "deep": {"b": 2}}, "long": "x" * 80, "short": 3})
    assert [entry.kind for entry in entries] == ["pair", "text", "inner"]


def test_values_read_well():
    assert [plain(v) for v in (None, True, -1.5, 12345, ["Li", "S"], {}, {"a": 1})] == ["–", "yes", "−1.5", "12,345", "Li, S", "–", "a: 1"]
