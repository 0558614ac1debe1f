import torch, torch.nn as nn, torch.nn.functional as F
from torch.func import functional_call, grad, vmap
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1)); opt = torch.optim.Adam(net.parameters(), 1e-3)
def loss(ps, x, y): return F.mse_loss(functional_call(net, ps, (x,)), y)
def outer(ps, xs, ys, xq, yq):
    for _ in range(1): g = grad(loss)(ps, xs, ys); ps = {k: p - 0.05 * g[k] for k, p in ps.items()}
    return loss(ps, xq, yq)
for it in range(250):
    a, p = 0.5 + torch.rand(8, 1, 1) * 2, torch.rand(8, 1, 1) * 3; xs, xq = torch.rand(8, 10, 1) * 10 - 5, torch.rand(8, 10, 1) * 10 - 5; f = lambda x: a * torch.sin(x + p)
    l = vmap(outer, in_dims=(None, 0, 0, 0, 0))(dict(net.named_parameters()), xs, f(xs), xq, f(xq)).mean(); opt.zero_grad(); l.backward(); opt.step()
    if it % 80 == 0: print(it, float(l))
