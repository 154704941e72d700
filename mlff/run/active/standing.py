"""How far a campaign is, in words: whether it has converged, why not, and what its readers must know."""

from collections.abc import Iterable, Mapping, Sequence

from mlff.active.convergence import Convergence, advice
from mlff.active.errors import ALL
from mlff.active.record import Record
from mlff.data.parts import plural
from mlff.units import TO_MILLI

CONVERGED, NOT_CONVERGED, UNDER_WAY = "converged", "not converged", "under way"


def by_stage(records: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.stage, []).append(record)
    return found


def standing(records: Sequence[Record], schedule: Sequence[Mapping], convergence: Convergence) -> str:
    """CONVERGED: the last stage has, and no other wants a round. NOT_CONVERGED: no further round is allowed. Else UNDER_WAY.

    Args:
        records: of all rounds, one at least. schedule: stages, as the configuration has them.
    """
    stages = by_stage(records)
    for stage in schedule:
        own, most = stages.get(stage["name"], []), stage.get("most_rounds")
        if not convergence.reached(own) and (most is None or len(own) < most):
            return NOT_CONVERGED if len(records) >= convergence.most_rounds else UNDER_WAY
    return CONVERGED if convergence.reached(stages.get(schedule[-1]["name"], [])) else NOT_CONVERGED


def summary(records: Sequence[Record], state: str, code: str) -> str:
    """One sentence. code: that made the labels."""
    first, last = records[0], records[-1]
    rounds = plural(len(records), "round")
    accurate = f"{last.total.ratio:.1%} of the frames of the last were accurate" if last.total.total else "the last explored nothing"
    hours = sum(record.core_hours for record in records)
    cost = f"{sum(record.labelled for record in records):,} labels by {code} in {hours:.3g} core hours"
    errors = [record.audit[ALL]["rmse"] * TO_MILLI for record in (first, last) if ALL in record.audit]
    words = ""
    if len(errors) == 2 and first is not last:
        words = f"; the force error on frames nobody chose went from {errors[0]:.0f} to {errors[1]:.0f} meV/Å"
    return f"{state.capitalize()} after {rounds}: {accurate}; {cost}{words}."


def warnings(
    records: Sequence[Record],
    schedule: Sequence[Mapping],
    convergence: Convergence,
    oracle: Mapping,
    sizes: Iterable[int],
) -> list[str]:
    """Most serious first.

    Args:
        oracle: its configuration. sizes: numbers of atoms of the labelled frames.
    """
    state, stages, last = standing(records, schedule, convergence), by_stage(records), records[-1].stage
    found = []
    if state != CONVERGED and not convergence.passes(records[-1]):
        found.append(
            f"{state.capitalize()} after {len(records)} of at most {convergence.most_rounds} rounds: {_why(stages[last], convergence)}."
        )
    elif state != CONVERGED:
        found.append(
            f"{state.capitalize()} after {len(records)} of at most {convergence.most_rounds} rounds, though the last was as it should be: "
            f"a stage wants {convergence.n_rounds} such rounds in a row."
        )
    settled = set(records[-1].counts) if state == CONVERGED else set()  # a shorter stage of the same is but a way there
    for name, own in stages.items():
        if name != last and not convergence.reached(own) and not set(own[-1].counts) <= settled:
            found.append(f"Stage {name} ended after {plural(len(own), 'round')} without having converged: {_why(own, convergence)}.")
    found += [f"Round {record.number}: {record.alarm}." for record in records if record.alarm]
    return found + gamma_alone(oracle, sorted(set(sizes)))


def _why(records: Sequence[Record], convergence: Convergence) -> str:
    return advice(records, convergence.ratio)


def gamma_alone(oracle: Mapping, sizes: Sequence[int]) -> list[str]:
    """A warning where the reference code samples no k-point but Γ, whose forces belong to one size of cell."""
    if oracle["_target_"].endswith("GFN1xTB"):
        words = "GFN1-xTB works at Γ alone: its forces depend on the size of the cell, by 180 meV/Å between 16 and 32 atoms of Li3PS4"
    elif list(oracle.get("kpoints") or ()) == [1, 1, 1] and oracle.get("kpoint_spacing") is None:
        words = "The reference code was asked for Γ alone (kpoints [1, 1, 1]): in small cells its forces depend on the size of the cell"
    else:
        return []
    atoms = ", ".join(map(str, sizes))
    several = (
        f"labels of {atoms} atoms are mixed here, and contradict each other" if len(sizes) > 1 else f"all labels here are of {atoms} atoms"
    )
    return [f"{words}; {several}." if sizes else f"{words}."]
