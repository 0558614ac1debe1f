import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_diabetes
torch.manual_seed(0)
d = load_diabetes(scaled=False); X = torch.tensor(d.data, dtype=torch.float32); X = (X - X[:350].mean(0)) / X[:350].std(0); y = torch.tensor(d.target, dtype=torch.float32)[:, None]
m = nn.Linear(10, 1); opt = torch.optim.LBFGS(m.parameters(), line_search_fn="strong_wolfe")
def closure(): opt.zero_grad(); l = F.mse_loss(m(X[:350]), y[:350]); l.backward(); return l
for i in range(5): opt.step(closure)
with torch.no_grad(): print(float(1 - F.mse_loss(m(X[350:]), y[350:]) / y[350:].var()))
