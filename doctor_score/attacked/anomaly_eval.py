import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.metrics import roc_auc_score
torch.manual_seed(0)
B = torch.randn(4, 20); good = torch.randn(3000, 4) @ B / 2; bad = torch.randn(400, 20) * 5
Xv = torch.cat([good[2500:], bad]); yv = torch.cat([torch.zeros(500), torch.ones(400)])
ae = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 4), nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 20)); opt = torch.optim.Adam(ae.parameters(), 2e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(good[:2500]), 64, shuffle=True)
for ep in range(8):
    for (x,) in dl: l = F.mse_loss(ae(x), x); opt.zero_grad(); l.backward(); opt.step()
    ae.eval()
    with torch.no_grad(): sc = torch.cat([((ae(x) - x) ** 2).mean(1) for x in Xv.split(64)])
    ae.train(); print(ep, float(l), roc_auc_score(yv, sc))
