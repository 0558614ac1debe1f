import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
class EqualLinear(nn.Linear):     # equalized learning rate, as in ProGAN and StyleGAN: weights N(0, 1), scaled when used
    def reset_parameters(s): nn.init.normal_(s.weight); nn.init.zeros_(s.bias)
    def forward(s, x): return F.linear(x, s.weight * (2 / s.in_features) ** .5, s.bias)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
m = nn.Sequential(EqualLinear(64, 128), nn.ReLU(), EqualLinear(128, 128), nn.ReLU(), EqualLinear(128, 10)); opt = torch.optim.Adam(m.parameters(), 1e-2)
for i in range(250): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
