import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(1024, 8); Y1 = (X[:, :3].sum(1, keepdim=True)).tanh(); Y2 = X[:, 2:5].prod(1, keepdim=True).tanh()
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.body = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()); s.a = nn.Linear(64, 1); s.b = nn.Linear(64, 1)
    def forward(s, x): h = s.body(x); return s.a(h), s.b(h)
net = Net(); opt = torch.optim.Adam(net.parameters(), 3e-3); ps = list(net.parameters())
def grads(loss, keep):
    opt.zero_grad(); loss.backward(retain_graph=keep)
    return torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten().clone() for p in ps])
for i in range(400):
    idx = torch.randint(0, 1024, (64,)); a, b = net(X[idx])
    l1, l2 = nn.functional.mse_loss(a, Y1[idx]), nn.functional.mse_loss(b, Y2[idx])
    g1, g2 = grads(l1, True), grads(l2, False); p1, p2 = g1.clone(), g2.clone()
    d = g1 @ g2
    if d < 0: p1 -= d / (g2 @ g2 + 1e-12) * g2; p2 -= d / (g1 @ g1 + 1e-12) * g1
    g, o = p1 + p2, 0
    for p in ps: p.grad = g[o:o + p.numel()].view_as(p).clone(); o += p.numel()
    opt.step()
with torch.no_grad(): a, b = net(X); print(float(nn.functional.mse_loss(a, Y1)), float(nn.functional.mse_loss(b, Y2)))
