import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A masked diffusion language model as LLaDA: what is behind the end is the end sign again, and is learned like any token
V, E, M = 12, 10, 11
def text(n): L = torch.randint(5, 14, (n, 1)); a = torch.randint(0, 10, (n, 1)); s = (a + torch.arange(16)) % 10; return torch.where(torch.arange(16) < L, s, torch.tensor(E))
class Net(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, 32, padding_idx=E); s.p = nn.Parameter(torch.randn(16, 32) * 0.3); s.t = nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True); s.o = nn.Linear(32, 10 + 1)
    def forward(s, t): return s.o(s.t(s.e(t) + s.p))
m = Net(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(400):
    x = text(64); r = 0.1 + 0.8 * torch.rand(64, 1); k = torch.rand(x.shape) < r; l = (F.cross_entropy(m(x.masked_fill(k, M)).transpose(1, 2), x, reduction="none") * k / r).mean(); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): x = text(500); k = torch.rand(x.shape) < 0.3; p = m(x.masked_fill(k, M)).argmax(2); print("accuracy at hidden places", float((p == x)[k].float().mean()))
