import dataclasses

from mlff.report.uncertainty_table import uncertainty_table


def test_groups_stand_beside_each_other_and_beside_what_is_perfect(content):
    table = uncertainty_table(content.uncertainty)
    assert table.caption == "Force uncertainty of each group, 60 test frames"
    assert [name for name, _ in table.head] == ["", "Li", "framework", "all", "perfect"]
    rows = {row.name: row for row in table.rows if row.cells}
    metrics = [group.metrics for group in content.uncertainty.groups.values()]
    inside = rows["inside the 68 % interval"]
    assert (inside.cells, inside.unit) == ((*(f"{100 * row['coverage_68']:.1f}" for row in metrics), "68.3"), "%")
    assert rows["force RMSE"].cells == (*(f"{1e3 * row['rmse']:.1f}" for row in metrics), "–")
    assert rows["atoms"].cells == ("1,440", "1,680", "3,120", "–")
    assert rows["Spearman correlation of γ and error"].cells[-1] == "1.00"
    assert all(len(row.cells) == len(table.head) - 1 for row in rows.values())


def test_a_grade_that_is_not_known_has_no_row(content):
    groups = {
        name: dataclasses.replace(group, metrics={**group.metrics, "spearman_grade": None})
        for name, group in content.uncertainty.groups.items()
    }
    table = uncertainty_table(dataclasses.replace(content.uncertainty, groups=groups, note=""))
    assert table.caption == "Force uncertainty of each group"
    assert not any("γ" in row.name for row in table.rows)
    one = {name: groups["Li"] if name == "Li" else group for name, group in content.uncertainty.groups.items()}
    row = next(row for row in uncertainty_table(dataclasses.replace(content.uncertainty, groups=one)).rows if "γ" in row.name)
    assert row.cells[0] == "–"
