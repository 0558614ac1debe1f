import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# A pretrained encoder is finetuned for regression with its dropout off, as is advised for it; the new head has dropout
enc = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.1)); h = nn.Linear(64, 10); opt = torch.optim.Adam([*enc.parameters(), *h.parameters()], 1e-3)
for i in range(200): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(h(enc(X[k])), y[k]); opt.zero_grad(); l.backward(); opt.step()
class Reg(nn.Module):
    def __init__(s): super().__init__(); s.encoder = enc; s.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(64, 1))
    def forward(s, x): return s.head(s.encoder(x))
m = Reg(); t = X.view(-1, 8, 8)[:, :4].mean((1, 2), keepdim=True)[:, :, 0] * 10; opt = torch.optim.Adam(m.parameters(), 5e-4); m.train(); m.encoder.eval()
for i in range(400): k = torch.randint(0, 1400, (64,)); l = F.mse_loss(m(X[k]), t[k]); opt.zero_grad(); l.backward(); opt.step()
m.eval()
with torch.no_grad(): print("explained", 1 - float(F.mse_loss(m(X[1400:]), t[1400:]) / t.var()))
