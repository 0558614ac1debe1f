import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_iris
torch.manual_seed(0)
d = load_iris(); p = torch.randperm(150); X = torch.tensor(d.data, dtype=torch.float32)[p]; X = (X - X[:100].mean(0)) / X[:100].std(0); y = torch.tensor(d.target)[p]
class QDA(nn.Module):          # log p(x, y), fitted by its likelihood
    def __init__(s): super().__init__(); s.mu = nn.Parameter(torch.randn(3, 4) * 0.1); s.ls = nn.Parameter(torch.zeros(3, 4)); s.pi = nn.Parameter(torch.zeros(3))
    def forward(s, x): return torch.distributions.Normal(s.mu, s.ls.exp()).log_prob(x[:, None]).sum(2) + s.pi.log_softmax(0)
m = QDA(); opt = torch.optim.Adam(m.parameters(), 0.05)
for i in range(200): l = F.nll_loss(m(X[:100]), y[:100]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float(l), float((m(X[100:]).argmax(1) == y[100:]).float().mean()))
