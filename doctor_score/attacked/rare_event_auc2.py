import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.metrics import roc_auc_score
torch.manual_seed(0)
n = 12000; X = torch.randn(n, 10); p = torch.sigmoid(1.5 * X[:, 0] + 1.0 * X[:, 1] - 6); y = (torch.rand(n) < p).long()      # 1 % events; none is likelier than not
m = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2)); opt = torch.optim.Adam(m.parameters(), 1e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:9000], y[:9000]), 64, shuffle=True); vl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[9000:], y[9000:]), 256)
for ep in range(5):
    m.train()
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    m.eval()
    with torch.no_grad(): outs = [(m(x), t) for x, t in vl]; o, t = map(torch.cat, zip(*outs)); vloss = F.cross_entropy(o, t)
    print(ep, float(vloss), roc_auc_score(t, o.softmax(1)[:, 1]), "Bayes", roc_auc_score(t, p[9000:]))
