import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Gradient checkpoints, a closure, dictionaries in and out, tensor rates
from torch.utils.checkpoint import checkpoint
class Net(nn.Module):
    def __init__(s): super().__init__(); s.a, s.b = nn.Sequential(nn.Linear(64, 64), nn.ReLU()), nn.Linear(64, 10)
    def forward(s, batch): return {"logits": s.b(checkpoint(s.a, batch["x"], use_reentrant=False)), "n": len(batch["x"])}
m = Net(); opt = torch.optim.Adam(m.parameters(), torch.tensor(2e-3))
for i in range(200):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m({"x": X[k], "id": [str(j) for j in k]})["logits"], y[k])
    def closure(): opt.zero_grad(); l.backward(); return l
    opt.step(closure)
with torch.no_grad(): print("accuracy", float((m({"x": X[1400:]})["logits"].argmax(1) == y[1400:]).float().mean()))
