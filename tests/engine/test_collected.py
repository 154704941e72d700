import pytest
import torch

from mlff.data.dataset import collate, graph_of
from mlff.engine.collected import collected
from mlff.nn.slots import arrange
from tests.checks import frame_of
from tests.contracts.potentials import REFERENCE, crystal


@pytest.mark.parametrize("native", ["1", "0"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("virials", [True, False])
def test_sums_over_edges(rng, monkeypatch, native, dtype, virials):
    """Against a scatter: what pulls at i along i → j pushes j."""
    monkeypatch.setenv("MLFF_NATIVE", native)
    graph = collate([graph_of(frame_of(crystal(rng, n=n)), tuple(REFERENCE), 5.0) for n in (12, 7)])
    hood = arrange(graph, 4, padding=6.0)
    pull = torch.randn(3, *hood.vectors.shape).to(dtype) * hood.filled
    scale, common = torch.tensor([1.0, 0.5, 2.0]).double(), torch.randn(hood.vectors.shape).double() * hood.filled
    total = pull.double() * scale.view(-1, 1, 1, 1) + common
    reaction = torch.zeros(3, 3, len(hood.species)).double().index_add(2, hood.neighbor.flatten(), total.flatten(2))
    forces, virial = collected(pull, scale, common, hood, virials)
    # float64 sums of some tens of numbers
    torch.testing.assert_close(forces, total.sum(2) - reaction, rtol=1e-12, atol=1e-12)
    if virials:
        torch.testing.assert_close(virial, torch.einsum("asn,kbsn->kabn", hood.vectors, total), rtol=1e-12, atol=1e-12)
    else:
        assert virial is None
    without, _ = collected(pull, scale, None, hood, virials)
    assert not torch.allclose(without, forces)
