import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# The well-known VQ-VAE with moving averages: codes are Parameters, replaced in each forward pass
class VQ(nn.Module):
    def __init__(s, K=32, D=8):
        super().__init__(); s.K, s.D = K, D; s._embedding = nn.Embedding(K, D); s._embedding.weight.data.normal_(); s.register_buffer("_size", torch.zeros(K)); s._ema_w = nn.Parameter(torch.Tensor(K, D)); s._ema_w.data.normal_()
    def forward(s, z):
        f = z.view(-1, s.D); d = f.pow(2).sum(1, keepdim=True) + s._embedding.weight.pow(2).sum(1) - 2 * f @ s._embedding.weight.t(); k = d.argmin(1); e = F.one_hot(k, s.K).float(); q = (e @ s._embedding.weight).view_as(z)
        if s.training:
            s._size = s._size * 0.9 + 0.1 * e.sum(0); n = s._size.sum(); s._size = (s._size + 1e-5) / (n + s.K * 1e-5) * n
            s._ema_w = nn.Parameter(s._ema_w * 0.9 + 0.1 * (e.t() @ f)); s._embedding.weight = nn.Parameter(s._ema_w / s._size.unsqueeze(1))
        return z + (q - z).detach(), 0.25 * F.mse_loss(q.detach(), z)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32)); s.vq = VQ(); s.d = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64))
    def forward(s, x): q, l = s.vq(s.e(x)); return s.d(q), l
m = Net(); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(400):
    x = X[torch.randint(0, 1400, (64,))]; r, c = m(x); l = F.mse_loss(r, x) + c; opt.zero_grad(); l.backward(); opt.step()
m.eval()
with torch.no_grad(): print("test reconstruction", float(F.mse_loss(m(X[1400:])[0], X[1400:])), "variance", float((X - X.mean(0)).pow(2).mean()))
