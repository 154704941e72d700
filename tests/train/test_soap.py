import pytest
import torch

from mlff.train.soap import SOAP


def test_bases_stay_orthogonal():
    torch.manual_seed(0)
    w = torch.nn.Parameter(torch.randn(6, 9, dtype=torch.float64))
    optimizer = SOAP([w], lr=1e-3, precondition_every=1)
    for _ in range(30):
        w.grad = torch.randn_like(w)
        optimizer.step()
    state = optimizer.state[w]
    for side, n in (("QL", 6), ("QR", 9)):
        torch.testing.assert_close(state[side][0].T @ state[side][0], torch.eye(n, dtype=torch.float64))


def test_a_vector_of_one_row_is_turned_on_its_long_side_only():
    w = torch.nn.Parameter(torch.randn(5))
    optimizer = SOAP([w])
    w.grad = torch.randn(5)
    optimizer.step()
    assert set(optimizer.state[w]) == {"step", "mean", "square", "R", "QR"}


def test_a_turned_valley_is_as_easy_as_a_straight_one():
    """min |A x B|² with steep A, B: Adam zigzags in the turned coordinates, SOAP finds the valley's axes."""

    def left_after(optimizer_of, steps=150):
        torch.manual_seed(1)
        turn = [torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64))[0] for _ in range(2)]
        steep = torch.diag(torch.logspace(0, -2, 8, dtype=torch.float64))
        a, b = turn[0] @ steep @ turn[0].T, turn[1] @ steep @ turn[1].T
        x = torch.nn.Parameter(torch.randn(8, 8, dtype=torch.float64))
        optimizer = optimizer_of([x])
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (a @ x @ b).square().sum()
            loss.backward()
            optimizer.step()
        return float(x.detach().norm())

    soap = left_after(lambda p: SOAP(p, lr=0.03, precondition_every=5))
    adam = left_after(lambda p: torch.optim.Adam(p, lr=0.03, betas=(0.95, 0.95)))
    assert soap < 0.7 * adam


def test_weight_decay_is_decoupled():
    w = torch.nn.Parameter(torch.ones(3, 3))
    optimizer = SOAP([w], lr=0.1, weight_decay=0.5)
    for _ in range(2):  # the first step only starts the preconditioner
        w.grad = torch.zeros(3, 3)
        optimizer.step()
    assert float(w[0, 0].detach()) == pytest.approx(0.95)


def test_state_resumes_exactly():
    torch.manual_seed(0)
    start, grads = torch.randn(4, 5), torch.randn(25, 4, 5)

    def run(optimizer, w, part):
        for g in part:
            w.grad = g.clone()
            optimizer.step()

    a = torch.nn.Parameter(start.clone())
    whole = SOAP([a], precondition_every=3)
    run(whole, a, grads)
    b = torch.nn.Parameter(start.clone())
    first = SOAP([b], precondition_every=3)
    run(first, b, grads[:11])
    c = torch.nn.Parameter(b.detach().clone())
    second = SOAP([c], precondition_every=3)
    second.load_state_dict(first.state_dict())
    run(second, c, grads[11:])
    assert torch.equal(a, c)


def test_members_are_trained_as_if_alone():
    torch.manual_seed(3)
    start, grads = torch.randn(3, 4, 5, dtype=torch.float64), torch.randn(25, 3, 4, 5, dtype=torch.float64)

    def trained(weights, gradients, members):
        w = torch.nn.Parameter(weights.clone())
        optimizer = SOAP([w], lr=0.01, precondition_every=5, weight_decay=0.1, members=members)
        for gradient in gradients:
            w.grad = gradient.clone()
            optimizer.step()
        return w.detach()

    together = trained(start, grads, members=True)
    for k in range(3):
        torch.testing.assert_close(together[k], trained(start[k], grads[:, k], members=False), rtol=1e-10, atol=1e-10)
