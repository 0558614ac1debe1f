import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); Xv, yv = X[1400:], y[1400:]
t = y[:1400].clone(); flip = torch.rand(1400) < 0.4; t[flip] = torch.randint(0, 10, (int(flip.sum()),))
A, B = (nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)) for _ in range(2)); oa, ob = (torch.optim.Adam(n.parameters(), 1e-3) for n in (A, B))
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], t), 128, shuffle=True)
vl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(Xv, yv), 128)
for ep in range(15):
    keep = 1 - 0.35 * min(1, ep / 5)
    for x, l in dl:
        with torch.no_grad(): ca, cb = (F.cross_entropy(n(x), l, reduction="none").argsort()[:int(keep * len(x))] for n in (A, B))
        oa.zero_grad(); F.cross_entropy(A(x[cb]), l[cb]).backward(); oa.step()
        ob.zero_grad(); F.cross_entropy(B(x[ca]), l[ca]).backward(); ob.step()
    A.eval(); B.eval()
    with torch.no_grad(): acc = sum(int((A(x).argmax(1) == l).sum()) for x, l in vl) / len(Xv)
    A.train(); B.train(); print(ep, acc)
