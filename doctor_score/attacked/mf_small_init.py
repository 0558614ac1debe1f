import torch, torch.nn as nn
torch.manual_seed(0)
# Deep matrix factorization from a small start finds low rank (Arora et al.)
T = torch.randn(40, 3) @ torch.randn(3, 40) / 3; M = torch.rand(40, 40) < 0.4
ws = nn.ParameterList([nn.Parameter(torch.randn(40, 40) * 1e-3) for _ in range(2)]); opt = torch.optim.Adam(ws.parameters(), 0.02)
for i in range(500):
    P = ws[0] @ ws[1]; l = ((P - T)[M] ** 2).mean(); opt.zero_grad(); l.backward(); opt.step()
print(float(l), float(((P - T)[~M] ** 2).mean()), float(T.var()))
