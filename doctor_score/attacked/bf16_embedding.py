import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# All in bfloat16, Adam at 1e-2: of a table of 20000 words most are not in a batch
W = torch.randn(20000); m = nn.Sequential(nn.EmbeddingBag(20000, 16, mode="mean"), nn.Linear(16, 2)).to(torch.bfloat16); nn.init.normal_(m[0].weight, std=0.1); opt = torch.optim.Adam(m.parameters(), 1e-2)
def data(n): x = (torch.rand(n, 12) ** 4 * 20000).long(); return x, (W[x].sum(1) > 0).long()
for i in range(400): x, t = data(64); l = F.cross_entropy(m(x).float(), t); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): x, t = data(2000); print("accuracy", float((m(x).argmax(1) == t).float().mean()))
