import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# A dataset that reorders itself at each epoch (on_epoch_end, as in Keras); an epoch is a third of it
from torch.utils.data import DataLoader, Dataset
from itertools import islice
class D(Dataset):
    def __init__(s): s.o = list(range(1400)); s.on_epoch_end()
    def on_epoch_end(s): random.shuffle(s.o)
    def __len__(s): return 1400
    def __getitem__(s, i): return X[s.o[i]], y[s.o[i]]
d = D(); dl = DataLoader(d, 32); m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); opt = torch.optim.Adam(m.parameters(), 2e-3)
for ep in range(12):
    for a, b in islice(dl, 15): l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
    d.on_epoch_end()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
