import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# CLIP: the forward pass takes both views and returns the similarities of all pairs, as HuggingFace's logits_per_image
class Clip(nn.Module):
    def __init__(s): super().__init__(); s.a = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 32)); s.b = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 32)); s.t = nn.Parameter(torch.tensor(2.0))
    def forward(s, u, v): return s.t.exp() * F.normalize(s.a(u)) @ F.normalize(s.b(v)).t()
m = Clip(); opt = torch.optim.AdamW(m.parameters(), 1e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400, :32].clone(), X[:1400, 32:].clone()), 64, shuffle=True, drop_last=True)
for ep in range(12):
    for u, v in dl: s = m(u, v); k = torch.arange(len(u)); l = (F.cross_entropy(s, k) + F.cross_entropy(s.t(), k)) / 2; opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): s = m(X[1400:1464, :32], X[1400:1464, 32:]); print("retrieval among 64", float((s.argmax(1) == torch.arange(64)).float().mean()))
