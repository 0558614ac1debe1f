import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Evolution strategies for a policy, its gradient put in by hand, beside a value net learned by backpropagation
theta = nn.Parameter(torch.zeros(4)); vnet = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1)); goal = torch.tensor([1., -2., 0.5, 3.])
op, ov = torch.optim.Adam([theta], 0.05), torch.optim.Adam(vnet.parameters(), 5e-3); ret = lambda t: -((t - goal) ** 2).sum(-1)
for i in range(200):
    e = torch.randn(32, 4); c = theta.detach() + 0.1 * e; r = ret(c)
    theta.grad = -(((r - r.mean()) / (r.std() + 1e-8))[:, None] * e).mean(0); op.step()
    l = F.mse_loss(vnet(c)[:, 0], r / 10); ov.zero_grad(); l.backward(); ov.step()
print(float(ret(theta)), float(l))
