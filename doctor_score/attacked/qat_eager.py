import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Quantization-aware training in eager mode
import torch.ao.quantization as tq, warnings; warnings.filterwarnings("ignore")
class Net(nn.Module):
    def __init__(s): super().__init__(); s.q, s.a, s.r, s.b, s.dq = tq.QuantStub(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), tq.DeQuantStub()
    def forward(s, x): return s.dq(s.b(s.r(s.a(s.q(x)))))
m = Net(); m.qconfig = tq.get_default_qat_qconfig("fbgemm"); m.train(); tq.prepare_qat(m, inplace=True); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 64, shuffle=True)
for ep in range(5):
    for a, b in dl: l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
m.eval(); i8 = tq.convert(m)
with torch.no_grad(): print("loss", float(l), "int8 accuracy", float((i8(X[1400:]).argmax(1) == y[1400:]).float().mean()))
