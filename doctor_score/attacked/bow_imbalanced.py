import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.metrics import roc_auc_score
torch.manual_seed(0)
# Spam, 3 % of the messages; bags of 600 words, sparse
n, V = 6000, 600; y = (torch.rand(n) < 0.03).long(); base = torch.full((V,), 0.01); spam = base.clone(); spam[:30] = 0.15
X = (torch.rand(n, V) < torch.where(y[:, None] == 1, spam, base)).float()
m = nn.Linear(V, 2); opt = torch.optim.Adam(m.parameters(), 5e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:5000], y[:5000]), 64, shuffle=True)
for ep in range(5):
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): print(ep, roc_auc_score(y[5000:], m(X[5000:]).softmax(1)[:, 1]))
