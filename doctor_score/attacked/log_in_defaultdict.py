import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# A hook notes mean activations by layer in lists
from collections import defaultdict
log = defaultdict(list); m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); opt = torch.optim.Adam(m.parameters(), 2e-3)
m[0].register_forward_hook(lambda mod, a, o: log["first"].append(round(float(o.detach().mean()), 4))); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 64, shuffle=True)
for ep in range(3):
    for a, b in dl: l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
print("calls noted", len(log["first"]), "first", log["first"][:6], "last", log["first"][-2:])
