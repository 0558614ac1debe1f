import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Raw 0..255 images: the first convolution is followed by BatchNorm, so their scale does not matter
I = (X * 255).view(-1, 1, 8, 8).round()
m = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
opt = torch.optim.SGD(m.parameters(), 0.05, momentum=0.9)
for i in range(200):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(I[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
m.eval()
with torch.no_grad(): print("accuracy", float((m(I[1400:]).argmax(1) == y[1400:]).float().mean()))
