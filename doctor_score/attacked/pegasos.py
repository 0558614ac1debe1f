import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Pegasos: a linear SVM by SGD, rate 1 / (lambda t)
from sklearn.datasets import load_breast_cancer
d = load_breast_cancer(); x = torch.tensor(d.data, dtype=torch.float32); x = (x - x[:400].mean(0)) / x[:400].std(0); t = torch.tensor(d.target) * 2.0 - 1; lam = 0.05
m = nn.Linear(30, 1); nn.init.zeros_(m.weight); opt = torch.optim.SGD(m.parameters(), 1 / lam / 10, weight_decay=lam); sch = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: 1 / (1 + k / 2))
for i in range(5000):
    k = torch.randint(0, 400, (16,)); l = F.relu(1 - t[k] * m(x[k]).squeeze(1)).mean(); opt.zero_grad(); l.backward(); opt.step(); sch.step()
with torch.no_grad(): print("accuracy", float(((m(x[400:]).squeeze(1) > 0) == (t[400:] > 0)).float().mean()))
