import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# A cart is to be brought to 0; the expert is a linear law; data are gathered under the learner
step = lambda s, a: torch.stack([s[:, 0] + 0.1 * s[:, 1], s[:, 1] + 0.1 * a], 1); expert = lambda s: (-s[:, 0] - 1.5 * s[:, 1]).clamp(-1, 1)
pi = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
def fit(S, A, n=60):
    opt = torch.optim.Adam(pi.parameters(), 3e-3)
    for _ in range(n): k = torch.randint(0, len(S), (128,)); l = F.mse_loss(pi(S[k])[:, 0], A[k]); opt.zero_grad(); l.backward(); opt.step()
    return float(l)
s = torch.randn(64, 2); D = []
for _ in range(30): D.append(s); s = step(s, expert(s))
for it in range(6):
    S = torch.cat(D); l = fit(S, expert(S)); s = torch.randn(64, 2); new = []
    with torch.no_grad():
        for _ in range(30): new.append(s); s = step(s, pi(s)[:, 0])
    D += new; print(it, l, float(s.norm(dim=1).mean()))
