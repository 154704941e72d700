"""When a stage of exploration is done, and, where it does not end, why and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlff.active.errors import ALL
from mlff.active.record import Record


@dataclass(frozen=True)
class Convergence:
    """A stage has converged when its last `n_rounds` rounds, on seeds of their own, had at least `ratio` accurate frames and none failed.

    most_rounds: of the whole campaign, after which it ends without.
    """

    ratio: float = 0.995
    n_rounds: int = 2
    most_rounds: int = 30

    def __post_init__(self):
        if not 0 < self.ratio <= 1 or self.n_rounds < 1 or self.most_rounds < 1:
            raise ValueError(
                f"ratio is {self.ratio}, n_rounds {self.n_rounds} and most_rounds {self.most_rounds}, "
                "expected a share of frames, at least one round, and at least one round"
            )

    def passes(self, record: Record) -> bool:
        """Whether one round was as it should be."""
        total = record.total
        return total.total > 0 and total.ratio >= self.ratio and total.failed == 0

    def reached(self, records: Sequence[Record]) -> bool:
        """records: of one stage, in order."""
        return len(records) >= self.n_rounds and all(self.passes(record) for record in records[-self.n_rounds :])


def advice(records: Sequence[Record], wanted: float) -> str:
    """Why the rounds of a stage have not converged, and what may help.

    Args:
        records: of one stage, one at least, in order. wanted: the accurate share.
    """
    last = records[-1]
    worst = min(last.counts, key=lambda condition: last.counts[condition].ratio)
    share = last.counts[worst]
    words = [
        f"{last.total.ratio:.1%} of the frames were accurate in round {last.number}, expected {wanted:.1%}",
        f"{worst} is worst: {share.accurate} accurate, {share.candidate} candidates, {share.failed} failed or not reached",
    ]
    error = last.audit.get(ALL, last.test.get(ALL, {})).get("rmse")
    if last.stop is not None and last.stop <= last.low and share.failed:
        words.append("trajectories stop where the threshold is crossed: allow more rounds, or raise what it may not fall below")
    elif share.failed > share.candidate:
        words.append(
            "most of what is missing was not reached: trajectories break; begin with shorter runs or lower temperatures, "
            "or label more frames before the first round"
        )
    elif last.unit and error is not None and 3 * error > last.low:
        words.append(
            f"the model's error, {1000 * error:.0f} meV/Å rms, is large for a lower level of {last.low:.3g}, which wants a third of it: "
            f"label more frames in each round (`selection.n`; {last.n_selected} of {last.total.candidate} candidates were chosen), train "
            "longer or a larger model, or raise `criterion.low`"
        )
    elif last.n_selected and last.labelled < last.n_selected / 2:
        words.append("more than half of the chosen frames could not be labelled: see the reasons in quarantine")
    elif last.n_selected:
        words.append("there is still something to learn: allow more rounds, or label more frames in each (`selection.n`)")
    return "; ".join(words)
