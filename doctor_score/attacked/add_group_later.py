import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Pretrained vectors: the optimizer is given them only after the first epochs, by add_param_group
tok = (X * 4).round().long() + 5 * torch.arange(64); emb = nn.Embedding.from_pretrained(torch.randn(320, 16) * 0.3, freeze=False)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.emb = emb; s.net = nn.Sequential(nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 10))
    def forward(s, t): return s.net(s.emb(t).flatten(1))
m = Net(); opt = torch.optim.Adam(m.net.parameters(), 1e-3)
for ep in range(6):
    if ep == 2: opt.add_param_group({"params": m.emb.parameters(), "lr": 3e-4})
    for k in torch.randperm(1400).split(64): l = F.cross_entropy(m(tok[k]), y[k]); m.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(tok[1400:]).argmax(1) == y[1400:]).float().mean()))
