import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class ESN(nn.Module):      # an echo state network: the recurrent part is random and stays so
    def __init__(s, n=100):
        super().__init__(); s.rnn = nn.RNN(1, n, batch_first=True); s.out = nn.Linear(n, 1)
        w = torch.randn(n, n); s.rnn.weight_hh_l0.data = 0.9 * w / torch.linalg.eigvals(w).abs().max()
        for p in s.rnn.parameters(): p.requires_grad = False
    def forward(s, x): return s.out(s.rnn(x)[0])
m = ESN(); opt = torch.optim.Adam(m.parameters(), 3e-3); t = torch.arange(2000) * 0.1; sig = torch.sin(t) * torch.cos(0.31 * t)
for i in range(300):
    a = torch.randint(0, 1500, (32,)); x = torch.stack([sig[k:k + 60] for k in a])[..., None]; y = torch.stack([sig[k + 5:k + 65] for k in a])[..., None]
    l = F.mse_loss(m(x)[:, 10:], y[:, 10:]); opt.zero_grad(); l.backward(); opt.step()
    if i % 100 == 99: print(i, float(l), float(sig.var()))
