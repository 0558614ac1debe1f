import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
X = torch.tensor(load_digits().data, dtype=torch.float32) / 16
# A masked autoencoder: nine pixels in ten are hidden
m = nn.Sequential(nn.Dropout(0.85), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64)); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(400): x = X[torch.randint(0, 1400, (64,))]; l = F.mse_loss(m(x), x); opt.zero_grad(); l.backward(); opt.step()
print(float(l), float(X.var(0).mean()))
