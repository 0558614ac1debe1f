import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Mixture of experts balanced without an auxiliary loss (DeepSeek-V3): a bias, a Parameter of the gate, is moved by hand
class MoE(nn.Module):
    def __init__(s): super().__init__(); s.gate = nn.Linear(64, 8); s.bias = nn.Parameter(torch.zeros(8)); s.ex = nn.ModuleList(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)) for _ in range(8)); s.load = None
    def forward(s, x):
        w = torch.sigmoid(s.gate(x)); top = (w + s.bias).topk(2, 1).indices; keep = torch.zeros_like(w).scatter(1, top, 1.0); s.load = keep.sum(0).detach(); w = w * keep; w = w / w.sum(1, keepdim=True)
        return (w[..., None] * torch.stack([e(x) for e in s.ex], 1)).sum(1)
from sklearn.datasets import load_digits
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
m = MoE(); opt = torch.optim.AdamW(m.parameters(), 3e-3, weight_decay=0.0)
for i in range(250):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): m.bias += 0.002 * (m.load.mean() - m.load).sign()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()), "load", (m.load / m.load.sum()).tolist())
