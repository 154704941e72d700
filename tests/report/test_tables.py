import copy
import dataclasses

import numpy as np

from mlff.report.tables import SUBTRACTING, condition_tables, element_table, overall_table, reference_table, tiles
from mlff.train.metrics import compute_metrics
from tests.report.conftest import frames_and_predictions


def test_overall_table_has_a_column_per_split_and_a_unit_per_row(content):
    table = overall_table(content)
    assert table.head[1:] == (("training", "240 frames"), ("validation", "40 frames"), ("test", "120 frames"))
    rows = {(row.name, row.unit): row.cells for row in table.rows if row.cells}
    assert rows["MAE", "meV/Å"][2] == f"{content.metrics['test']['overall']['force_mae']:.1f}"
    assert rows["MAE", "GPa"][0] == f"{content.metrics['train']['overall']['stress_mae_gpa']:.3f}"
    assert {"meV/atom", "meV/Å", "meV/Å³", "GPa", "%"} <= {unit for _, unit in rows}


def test_a_bias_whose_subtraction_raises_the_error_is_explained(content):
    """Errors of 0, 0, 0 and 8 meV/atom: MAE 2, after subtracting their mean of 2 it is 3."""
    frames, predictions = frames_and_predictions(np.random.default_rng(0), 4, 0.1)
    errors = (0.0, 0.0, 0.0, 8e-3)  # eV/atom
    predictions = [dataclasses.replace(p, energy=f.energy + 52 * errors[f.index]) for f, p in zip(frames, predictions, strict=True)]
    remarked = overall_table(dataclasses.replace(content, metrics={"test": compute_metrics(frames, predictions, ["Li"])}))
    rows = {row.name: row for row in remarked.rows if row.unit == "meV/atom"}
    assert (rows["MAE"].cells, rows["MAE after subtracting the bias"].cells) == (("2.00",), ("3.00",))
    assert [row.name for row in remarked.rows if row.kind == "remark"] == [SUBTRACTING]
    offset = [dataclasses.replace(p, energy=f.energy + 52 * 2e-3) for f, p in zip(frames, predictions, strict=True)]
    helped = overall_table(dataclasses.replace(content, metrics={"test": compute_metrics(frames, offset, ["Li"])}))
    assert not any(row.kind == "remark" for row in helped.rows)


def test_reference_rows_stand_below_this_model_in_the_columns_they_have(content):
    table = reference_table(content)
    assert [name for name, _ in table.head] == ["", "energy MAE", "force MAE", "force RMSE", "source"]
    assert [row.kind for row in table.rows] == ["own", "reference", "reference"]
    assert table.rows[1].cells == ("–", "25.8", "–", "Batzner et al. 2022")
    assert reference_table(dataclasses.replace(content, reference_rows=())) is None


def test_element_table_ends_with_the_framework_and_references(content):
    table = element_table(content)
    names = [row.name for row in table.rows]
    assert names[:5] == ["Cl", "Li (mobile)", "P", "S", "framework"]
    assert names[5] == "Li, kernel, on the fly: force RMSE 27.7 meV/Å (published)"
    assert table.rows[2].shares == (1.0,)  # phosphorus has the largest error, so its bar is full
    assert all(len(row.cells) == len(table.head) - 1 for row in table.rows if row.cells)


def test_several_mobile_elements_have_a_row_together(content):
    frames, predictions = frames_and_predictions(np.random.default_rng(0), 3, 0.1)
    both = dataclasses.replace(content, metrics={"test": compute_metrics(frames, predictions, ["Li", "Cl"])}, mobile=("Li", "Cl"))
    assert [row.name for row in element_table(both).rows][:6] == ["Cl", "Li", "P", "S", "mobile (Li, Cl)", "framework"]


def test_condition_tables_keep_the_order_of_temperatures(content):
    temperatures, kinds, *_ = condition_tables(content.metrics["test"])
    assert [row.name for row in temperatures.rows] == ["300 K", "600 K", "900 K", "1200 K"]
    assert [row.name for row in kinds.rows] == ["bulk", "strained", "vacancy"]
    assert temperatures.head[-1] == ("frames", "")


def test_configuration_types_cross_temperatures_where_both_vary(content):
    metrics = content.metrics["test"]
    forces, energies = condition_tables(metrics)[2:]
    assert [name for name, _ in forces.head] == ["configuration type", "300 K", "600 K", "900 K", "1200 K"]
    row = metrics["per_config_type_and_temperature"]["strained"]["900"]
    assert (forces.rows[1].name, forces.rows[1].cells[2]) == ("strained", f"{row['force_mae']:.1f}")
    assert energies.rows[1].cells[2] == f"{row['energy_mae']:.2f}"
    assert max(share for row in forces.rows for share in row.shares) == 1.0
    assert len(condition_tables(metrics | {"per_config_type_and_temperature": {}})) == 2


def test_a_pair_of_conditions_without_frames_is_a_dash(content):
    metrics = copy.deepcopy(content.metrics["test"])
    del metrics["per_config_type_and_temperature"]["bulk"]["600"]
    forces = condition_tables(metrics)[2]
    assert (forces.rows[0].cells[1], forces.rows[0].shares[1]) == ("–", None)


def test_tiles_lead_with_the_force_error(content):
    assert tiles(content)[0] == {
        "name": "force MAE",
        "value": f"{content.metrics['test']['overall']['force_mae']:.1f}",
        "unit": "meV/Å",
        "aside": " · ".join(
            f"{name}\u00a0{content.metrics[split]['overall']['force_mae']:.1f}"
            for split, name in (("train", "training"), ("val", "validation"))
        ),
    }
