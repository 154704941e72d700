"""What a plane is worth, as a table of all shares and neighbours, and panels of the one that is kept."""

from collections.abc import Mapping

import numpy as np

from mlff.report.md_tables import cell
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.report.tables import Row, Table
from softness.study.fits import Fit


def accuracy_table(fits: Mapping[tuple[str, float], Fit]) -> Table:
    """One row for each share and choice of neighbours."""
    head = (
        ("neighbours, share at each end", ""),
        ("train", "%"),
        ("test", "%"),
        ("balanced", "%"),
        ("AUC", ""),
        ("P(S>0 | mobile)", "%"),
        ("P(S>0)", "%"),
        ("permuted labels", "%"),
        ("rows", "train / test"),
    )
    rows = []
    for (name, percent), fit in fits.items():
        v = fit.validation
        percents = [cell(e.times(100, "")) for e in (v.train, v.test, v.balanced)]
        more = [cell(e.times(100, "")) for e in (v.soft_of_mobile, v.soft, v.control)]
        rows.append(Row(f"{name}, {percent:g} %", (*percents, cell(v.auc), *more, f"{v.n_train:,} / {v.n_test:,}")))
    rows += [
        Row(f"{name}, {percent:g} %: {doubt}.", (), kind="remark")
        for (name, percent), fit in fits.items()
        for doubt in fit.validation.doubts
    ]
    return Table("How well planes tell mobile from immobile", head, tuple(rows))


def plane_description(fit: Fit) -> Description:
    """Weights by species and distance, the learning curve and the choice of C."""
    plane, functions = fit.softness.plane, fit.softness.functions
    weights = plane.weights_.reshape(len(functions.neighbour_species), -1) / np.linalg.norm(plane.weights_)
    curves = [Curve(symbol, functions.rungs, row) for symbol, row in zip(functions.neighbour_species, weights, strict=True)]
    panels = [
        Curves(
            "Weights",
            "distance μ, Å",
            "weight",
            curves,
            levels={"": 0.0},
            caption="Of standardised functions; above 0 what is there makes soft.",
        )
    ]
    v = fit.validation
    panels.append(
        Curves("Learning curve", "training rows", "test accuracy", [Curve("test", v.curve_rows, v.curve, style="line")], log_x=True)
    )
    if plane.losses_:
        C = np.array(list(plane.losses_))
        loss = Curve("left out", C, np.array(list(plane.losses_.values())))
        panels.append(Curves("Choice of C", "C", "loss of rows left out", [loss], log_x=True, marks={"chosen": plane.C_}))
    numbers = [
        Number("test accuracy", v.test),
        Number("balanced accuracy", v.balanced),
        Number("AUC", v.auc),
        Number("accuracy with permuted labels", v.control),
        Number("Brier score of the calibrated probability", v.brier),
    ]
    said = Curve.where_known("test", v.said, v.seen, v.seen_error)
    panels.append(
        Curves(
            "Calibration",
            "p(mobile) as told",
            "share of mobile rows",
            [said, Curve("perfect", np.array([0.0, 1.0]), np.array([0.0, 1.0]), style="dashed")],
        )
    )
    return Description(
        "The plane", "Fitted to whole trajectories, told on others; rows of one particle stay together in the choice of C.", panels, numbers
    )
