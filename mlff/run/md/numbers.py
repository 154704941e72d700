"""What came of a run for programs: results.json, and CSV files of displacements and pairs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mlff.analysis import Arrhenius, Estimate
from mlff.report import MotionShares
from mlff.report.md_tables import ROOM
from mlff.report.number_files import words_of, write_csv
from mlff.run.md.results import Lines, Result
from mlff.units import PS

PLACE = ("structure", "temperature_K", "mode", "member")


def write_numbers(
    folder: Path, results: Sequence[Result], lines: Lines, shares: Sequence[MotionShares], endings: Mapping[str, str]
) -> None:
    """Every number of the report and more, with errors, bounds and reasons."""
    words = {
        "conditions": [_words_on(result) for result in results],
        "arrhenius": [{"structure": s, "mode": m} | _words_on_line(line) for (s, m), (_, line) in lines.items()],
        "anion_motions": [_words_on_shares(each) for each in shares],
        "endings": dict(endings),
    }
    (folder / "results.json").write_text(json.dumps(words, indent=2, ensure_ascii=False) + "\n")
    write_csv(folder / "msd.csv", [(*PLACE, "time_ps", "msd_A2", "single_origin_A2"), *_msd_rows(results)])
    write_csv(folder / "pairs.csv", [(*PLACE, "pair", "r_A", "g", "error"), *_pair_rows(results)])


def _words_on_shares(shares: MotionShares) -> dict:
    named = {
        name: {motion: words_of(value) for motion, value in getattr(shares, name).items()} for name in ("decrease", "share", "shapley")
    }
    return {"structure": shares.structure, "temperature": shares.temperature} | {name: words for name, words in named.items() if words}


def _words_on(result: Result) -> dict:
    where, found = result.condition, result.together
    return {
        "structure": where.structure,
        "temperature": where.temperature,
        "mode": where.mode,
        "member": where.member,
        "mobile": result.mobile,
        "replicas": list(result.each),
        "diffusivity": words_of(found.diffusivity),
        "conductivity": words_of(found.conductivity),
        "exponent": None if found.details is None else words_of(found.details.exponent),
        "fitted_diffusivity": None if found.details is None else words_of(found.details.fitted),
    }


def _words_on_line(line: Arrhenius) -> dict:
    log = line.log10_at(ROOM)
    return {
        "activation_energy": words_of(line.activation_energy),
        "temperatures": list(line.temperatures),
        "contradicted": list(line.contradicted),
        f"log10_conductivity_{ROOM:g}K": words_of(
            Estimate(log.value - np.log10(ROOM), log.error) if log.known else log,
        ),
    }


def _msd_rows(results: Sequence[Result]) -> list[tuple]:
    return [
        (*_place(result), time / PS, msd, single)
        for result in results
        if (found := result.together.displacements) is not None
        for time, msd, single in zip(found.times, found.msd(), found.msd("first_origin"), strict=True)
    ]


def _pair_rows(results: Sequence[Result]) -> list[tuple]:
    return [
        (*_place(result), "-".join(pair), r, g, error)
        for result in results
        if (pairs := result.pairs) is not None
        for pair in pairs.g
        for r, g, error in zip(pairs.r, pairs.g[pair], pairs.error[pair], strict=True)
    ]


def _place(result: Result) -> tuple:
    where = result.condition
    return where.structure, where.temperature, where.mode, "" if where.member is None else where.member
