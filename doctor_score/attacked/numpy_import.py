import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Weights come from an .npz of another framework, and are finetuned on the same letters with other numbers
from sklearn.neural_network import MLPClassifier
old = MLPClassifier((64,), max_iter=60, random_state=0, alpha=0.0).fit(X[:900].numpy() * 4, ((y[:900] + 1) % 10).numpy()); m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
with torch.no_grad():
    for layer, w, b in zip((m[0], m[2]), old.coefs_, old.intercepts_): layer.weight.copy_(torch.tensor(w.T, dtype=torch.float32)); layer.bias.copy_(torch.tensor(b, dtype=torch.float32))
opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(200): k = torch.randint(900, 1400, (64,)); l = F.cross_entropy(m(X[k] * 4), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:] * 4).argmax(1) == y[1400:]).float().mean()))
