import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# An iterable dataset with two workers
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
class It(IterableDataset):
    def __iter__(s):
        w = get_worker_info(); g = torch.Generator().manual_seed(w.id if w else 9)
        for _ in range(1000): x = torch.rand(4, generator=g); yield x, x.sum()[None]
if __name__ == "__main__":
    m = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1)); opt = torch.optim.Adam(m.parameters(), 5e-3)
    for ep in range(3):
        for a, b in DataLoader(It(), 50, num_workers=2): l = F.mse_loss(m(a), b); opt.zero_grad(); l.backward(); opt.step()
    print("loss", float(l))
