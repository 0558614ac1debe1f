import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A ridge path, each penalty from the solution of the last one, by gradient descent
x = torch.randn(200, 30); w = torch.zeros(30); w[:5] = 3.0; t = x @ w + 2 * torch.randn(200); m = nn.Linear(30, 1, bias=False)
for lam in (0.0, 0.03, 0.3, 1.0):
    opt = torch.optim.SGD(m.parameters(), 0.005, weight_decay=lam)
    for i in range(2000 if lam == 0 else 1000): l = 0.5 * F.mse_loss(m(x)[:, 0], t); opt.zero_grad(); l.backward(); opt.step()
    exact = torch.linalg.solve(x.t() @ x / 200 + lam * torch.eye(30), x.t() @ t / 200)
    print(lam, "distance to the exact solution", float((m.weight[0].detach() - exact).norm()))
