import dataclasses

import pytest
import torch

from mlff.data.dataset import collate, graph_of
from mlff.train.linear_fit import ridge_solution
from tests.checks import answer_of, frame_of
from tests.contracts.potentials import build, crystal


def labelled(potential, atoms):
    answer = answer_of(potential)(atoms)
    frame = dataclasses.replace(frame_of(atoms), energy=answer.energy, forces=answer.forces)
    return graph_of(frame, potential.species, potential.r_max)


@pytest.mark.parametrize("name", ["linear", "lean", "lean2"])
def test_the_weights_that_made_the_labels_are_found_again(name, rng):
    """Labels of a known model: the fit reproduces its forces on a frame that it has not seen."""
    options = {"n_radial": [3, 2, 2]} if name == "linear" else {"size": "XS"}
    potential = build(name, ("Li", "S"), **options)
    truth = potential.architecture.linear_weights().clone()
    frames = [crystal(rng) for _ in range(21)]
    for atoms in frames:
        atoms.symbols = ["Li", "S"] * 6
    graphs = [labelled(potential, atoms) for atoms in frames]
    potential.architecture.set_linear_weights(torch.zeros_like(truth))
    found = ridge_solution(potential, [collate(graphs[:10]), *graphs[10:20]], 36, 0.1, 1.0, ridge=1e-15, seed=0)
    potential.architecture.set_linear_weights(found)
    error = (potential(graphs[20]).forces - graphs[20].forces).abs().max()
    # some features repeat each other: weights are free along these, forces are not
    assert error < 1e-4 * graphs[20].forces.abs().max()


def test_a_strong_ridge_stays_where_it_is_told(rng):
    potential = build("lean2", size="XS")
    graph = labelled(potential, crystal(rng))
    around = potential.architecture.linear_weights() + 0.01
    found = ridge_solution(potential, [graph], 4, 0.1, 1.0, ridge=1e12, seed=0, around=around)
    torch.testing.assert_close(found, around, atol=1e-6, rtol=0)


def test_nothing_to_fit_to_is_an_error():
    with pytest.raises(ValueError, match="found no frames to fit"):
        ridge_solution(build("linear"), [], 4, 0.1, 1.0, ridge=1.0, seed=0)
