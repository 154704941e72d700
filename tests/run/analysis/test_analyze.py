"""The whole command: the numbers are right, what grew is gone on with, and nothing is half-written."""

import csv
import json

import pytest
from ase.io.cube import read_cube
from hydra import compose, initialize_config_dir

from mlff.run.analysis import analyze
from mlff.run.command import CONF
from mlff.units import BOHR
from tests.run.analysis.conftest import write_replica


def settings(run, folder, *overrides: str):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("analyze", [f"trajectory={run}", f"folder={folder}", "observables=[msd,pair_distribution]", *overrides])


def numbers(folder) -> dict[str, dict[str, dict]]:
    """By what they are of and their name, of the displacements."""
    words = json.loads((folder / "numbers.json").read_text())
    return {of: {n["name"]: n for n in found} for of, found in words["observables"]["msd"].items()}


def test_diffusivities_conductivities_and_the_line(run, tmp_path):
    page = analyze(settings(run, tmp_path / "out", "pictures=[png]"))
    found = numbers(tmp_path / "out")
    assert list(found) == ["600 K", "900 K"]
    for of, diffusivity in (("600 K", 2e-5), ("900 K", 8e-5)):
        told = found[of]["tracer diffusivity of Li"]
        assert abs(told["value"] - diffusivity) < 4 * told["error"] < 4 * 0.4 * diffusivity
        # N q² D / V kT of 12 ions in 1,000 Å³
        sigma = 12 * told["value"] * 10 / (1000 * 8.617333262e-5 * float(of[:3])) * 16021.76634
        assert found[of]["conductivity, Nernst–Einstein"]["value"] == pytest.approx(sigma, rel=1e-3)
    html = page.read_text(encoding="utf-8")
    assert "E_a" in html
    assert "<script src" not in html
    for name in ("numbers.csv", "csv/overview_arrhenius.csv", "figures/overview_arrhenius.png", "config.yaml"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    with open(tmp_path / "out" / "numbers.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["of"] for row in rows} == {"600 K", "900 K"}
    assert {row["observable"] for row in rows} == {"msd", "pair_distribution"}


def test_two_seeds_are_one_condition_and_know_better(run, tmp_path):
    analyze(settings(run, tmp_path / "out", "pictures=[]"))
    alone = tmp_path / "alone"
    write_replica(alone, "LiS_600K_seed0", 2e-5, 0, temperature=600.0)
    analyze(settings(alone, tmp_path / "one", "pictures=[]"))
    both, one = (next(iter(numbers(tmp_path / name).values()))["tracer diffusivity of Li"]["error"] for name in ("out", "one"))
    assert both < one


def test_a_run_that_goes_on_is_gone_on_with(tmp_path):
    growing, whole = tmp_path / "growing", tmp_path / "whole"
    write_replica(growing, "LiS", 2e-5, 0, temperature=600.0, keep=300)
    analyze(settings(growing, tmp_path / "out", "pictures=[]"))
    first = numbers(tmp_path / "out")
    write_replica(growing, "LiS", 2e-5, 0, temperature=600.0)
    write_replica(whole, "LiS", 2e-5, 0, temperature=600.0)
    analyze(settings(growing, tmp_path / "out", "pictures=[]"))
    analyze(settings(whole, tmp_path / "again", "pictures=[]"))
    assert numbers(tmp_path / "out") == numbers(tmp_path / "again")
    assert numbers(tmp_path / "out") != first


def test_an_observable_that_does_not_exist_is_refused_before_anything_is_written(run, tmp_path):
    with pytest.raises(ValueError, match=r"found the observables \['msf'\], expected some of msd"):
        analyze(settings(run, tmp_path / "out", "observables=[msf]"))
    assert not (tmp_path / "out").exists()


def test_densities_are_files_for_other_programs(run, tmp_path):
    analyze(settings(run, tmp_path / "out", "pictures=[]", "observables=[density]"))
    with open(tmp_path / "out" / "density" / "Li_600_K.cube") as file:
        cube = read_cube(file)
    volume = cube["atoms"].get_volume() / BOHR**3  # the values are per bohr³
    assert cube["data"].mean() * volume == pytest.approx(12, rel=1e-4)
    assert (tmp_path / "out" / "density" / "Li_900_K.CHGCAR").stat().st_size > 0


def test_what_others_measured_is_drawn_beside(run, tmp_path):
    (tmp_path / "e.csv").write_text("name,temperature_K,conductivity_S_per_cm\nKamaya 2011,300,0.012\n")
    analyze(settings(run, tmp_path / "out", "pictures=[]", f"measured={tmp_path / 'e.csv'}"))
    assert "Kamaya 2011" in (tmp_path / "out" / "csv" / "overview_arrhenius.csv").read_text()
    assert "Kamaya 2011" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_jumps_and_the_fitted_diffusivity_give_a_correlation_factor(tmp_path):
    """Of walkers among sites on a grid: the fit and the jumps are measured apart."""
    write_replica(tmp_path / "run", "LiS", 2e-5, 0, temperature=600.0)
    grid = [[(a + 0.5) / 3, (b + 0.5) / 3, (c + 0.5) / 3] for a in range(3) for b in range(3) for c in range(3)]
    given = ["observables=[msd,hops]", f"available.hops.sites={json.dumps(grid)}"]
    analyze(settings(tmp_path / "run", tmp_path / "out", "pictures=[]", *given))
    words = json.loads((tmp_path / "out" / "numbers.json").read_text())["observables"]
    of = {name: {n["name"]: n for n in next(iter(found.values()))} for name, found in words.items()}
    tracer, jump = of["msd"]["tracer diffusivity of Li"], of["hops"]["jump diffusivity"]
    factor = of["hops"]["correlation factor, of the fitted tracer diffusivity"]
    assert factor["value"] == pytest.approx(tracer["value"] / jump["value"])
    assert factor["error"] > factor["value"] * tracer["error"] / tracer["value"]
