import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A generative classifier: each class a Gaussian with learned mean and width; densities are above 1 where they are narrow
C = torch.rand(4, 3); t = torch.randint(0, 4, (2000,)); x = C[t] + 0.05 * torch.randn(2000, 3)
class G(nn.Module):
    def __init__(s): super().__init__(); s.m = nn.Parameter(torch.rand(4, 3)); s.s = nn.Parameter(torch.full((4, 3), -2.0))
    def forward(s, x): return torch.distributions.Normal(s.m, s.s.exp()).log_prob(x[:, None]).sum(2)
m = G(); opt = torch.optim.Adam(m.parameters(), 2e-2)
for i in range(300): k = torch.randint(0, 1600, (128,)); l = F.nll_loss(m(x[k]), t[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(x[1600:]).argmax(1) == t[1600:]).float().mean()), "widths", m.s.exp().mean().item(), "true 0.05")
