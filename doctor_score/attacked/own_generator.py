import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class Noise(nn.Module):        # noise from a generator of its own, also in evaluation
    def __init__(s): super().__init__(); s.gen = torch.Generator().manual_seed(3); s.a = nn.Linear(64, 64); s.b = nn.Linear(64, 10)
    def forward(s, x): h = F.relu(s.a(x)); return s.b(h + 0.1 * torch.randn(h.shape, generator=s.gen))
m = Noise(); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 64, shuffle=True)
for ep in range(4):
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    print(ep, float(l))
