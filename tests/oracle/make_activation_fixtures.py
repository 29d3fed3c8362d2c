"""torch's activations and their derivatives in float64 at float32 points: the reference for the kernels' polynomials."""

from common import FIXTURES, make_reproducible, versions, write_json

make_reproducible()

import torch
from torch.nn import functional as F

KINDS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "relu": F.relu,
}

if __name__ == "__main__":
    near = torch.linspace(-4, 4, 65)
    # Where the kernels switch polynomials (x = ±√2), around zero, and where the functions have levelled off.
    special = torch.tensor([2**0.5 - 1e-3, 2**0.5 + 1e-3, 1e-4, 1e-8, 5.5, 7.9, 8.1, 10.5, 14, 40, 1000, 1e6])
    x = torch.cat([near, special, -special]).float()
    at = x.double().requires_grad_()
    out = {}
    for name, f in KINDS.items():
        y = f(at)
        (slope,) = torch.autograd.grad(y.sum(), at)
        out[name] = {"value": y.tolist(), "slope": slope.tolist()}
    write_json(
        FIXTURES / "activations" / "activations.json",
        {"made_by": "tests/oracle/make_activation_fixtures.py", "versions": versions("torch"), "x": x.tolist(), **out},
    )
