"""How a nested mapping (a model card, a data summary) is laid out: pairs, longer texts, tables, and mappings inside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ase.data import chemical_symbols

LONG = 48  # characters; a longer value gets a line of its own


@dataclass(frozen=True)
class Entry:
    """One entry, its value by its kind: "pair" and "text" a text, "table" (columns, {row name: cells}), "inner" a list of entries."""

    kind: str
    name: str
    value: object


def outline(mapping: Mapping) -> list[Entry]:
    """Its entries, short ones first. Mappings side by side with the same fields become one table, and so does a list of records.

    One number per element becomes a table of one row, which the end of its name says the unit of: "reference energies, eV".
    """
    alike = _alike(mapping)
    entries = []
    if alike:
        entries.append(Entry("table", "", _table({name: mapping[name] for name in alike})))
    for name, value in mapping.items():
        if name in alike:
            continue
        if _per_element(value):
            row = name.rpartition(", ")[2]  # the unit, or the whole name
            entries.append(Entry("table", name, (list(value), {row: [plain(v) for v in value.values()]})))
        elif isinstance(value, Mapping) and value:
            rows = _alike(value)
            entries.append(Entry("table", name, _table(value)) if len(rows) == len(value) else Entry("inner", name, outline(value)))
        elif isinstance(value, (list, tuple)) and value and all(isinstance(row, Mapping) and row for row in value):
            first = next(iter(value[0]))
            rows = {f"{number}": row for number, row in enumerate(value, 1)}
            named = {str(row.get(first)): {k: v for k, v in row.items() if k != first} for row in value}
            entries.append(Entry("table", name, _table(named if len(named) == len(value) else rows)))
        else:
            text = plain(value)
            entries.append(Entry("text" if len(text) > LONG else "pair", name, text))
    return sorted(entries, key=lambda entry: (bool(entry.name), ("pair", "text", "table", "inner").index(entry.kind)))


def plain(value: object) -> str:
    """A value as text: numbers short, lists with commas, absence as a dash."""
    if value is None or value == "" or (isinstance(value, (Mapping, list, tuple)) and not value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}".replace("-", "−")
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(inner)}" for key, inner in value.items())
    return ", ".join(plain(inner) for inner in value) if isinstance(value, (list, tuple)) else str(value)


def _per_element(value: object) -> bool:
    """Whether it is one number for each of some elements."""
    if not isinstance(value, Mapping) or not value:
        return False
    return all(symbol in chemical_symbols and isinstance(number, (int, float)) for symbol, number in value.items())


def _alike(mapping: Mapping) -> list[str]:
    """Names of the first two or more mappings of plain values inside this one that have the same fields."""
    fields: dict[tuple, list[str]] = {}
    for name, value in mapping.items():
        if isinstance(value, Mapping) and value and not any(isinstance(inner, Mapping) for inner in value.values()):
            fields.setdefault(tuple(value), []).append(name)
    return next((names for names in fields.values() if len(names) > 1), [])


def _table(rows: Mapping[str, Mapping]) -> tuple[list[str], dict[str, list[str]]]:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    return columns, {name: [plain(row.get(column)) for column in columns] for name, row in rows.items()}
