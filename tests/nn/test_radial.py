import torch

from mlff.nn.radial import chebyshev, envelope


def test_envelope_begins_at_one_and_ends_with_three_vanishing_derivatives():
    # not at u = 1 itself, where the derivatives beyond would hide those before
    u = torch.tensor([0.0, 1 - 1e-3], dtype=torch.float64, requires_grad=True)
    value = envelope(u)
    derivatives = [value]
    for _ in range(3):
        derivatives.append(torch.autograd.grad(derivatives[-1].sum(), u, create_graph=True)[0])
    begin, end = torch.stack(derivatives).unbind(1)
    torch.testing.assert_close(begin, torch.tensor([1.0, 0, 0, 0], dtype=torch.float64), atol=1e-12, rtol=0)
    # e = 70 t⁴ + …: the n-th derivative is 70 · 4!/(4 − n)! t^(4−n)
    expected = torch.tensor([70e-12, -280e-9, 840e-6, -1680e-3], dtype=torch.float64)
    torch.testing.assert_close(end, expected, atol=0, rtol=0.02)
    assert not envelope(torch.tensor([1.0, 1.5, 40.0])).any()


def test_chebyshev_is_cosine():
    r = torch.linspace(0.1, 4.9, 40, dtype=torch.float64)
    b = chebyshev(r, 5.0, 6)
    u = r / 5
    for k in range(6):
        torch.testing.assert_close(b[k], envelope(u) * torch.cos(k * torch.acos(1 - 2 * u)))
    assert not chebyshev(torch.tensor([5.0, 9.0, 100.0]), 5.0, 8).any()
