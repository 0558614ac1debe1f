import torch, torch.nn as nn, torch.nn.functional as F, copy
torch.manual_seed(0)
mk = lambda i, o: nn.Sequential(nn.Linear(i, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, o)); pi, q1, q2 = mk(2, 2), mk(3, 1), mk(3, 1); t1, t2 = copy.deepcopy(q1), copy.deepcopy(q2)
la = torch.zeros(1, requires_grad=True); op, oq, oa = torch.optim.Adam(pi.parameters(), 1e-3), torch.optim.Adam([*q1.parameters(), *q2.parameters()], 1e-3), torch.optim.Adam([la], 1e-3)
def act(s): mu, ls = pi(s).chunk(2, 1); d = torch.distributions.Normal(mu, ls.clamp(-5, 1).exp()); u = d.rsample(); a = u.tanh(); return a, (d.log_prob(u) - (1 - a * a + 1e-6).log()).sum(1, keepdim=True)
env = lambda s, a: (torch.cat([s[:, :1] + 0.2 * s[:, 1:], s[:, 1:] + 0.2 * a], 1).clamp(-3, 3)); S = torch.randn(16, 2); buf = []
for i in range(2500):
    with torch.no_grad(): A = act(S)[0]
    S2 = env(S, A); buf.append((S, A, -(S ** 2).sum(1, keepdim=True) * 0.1, S2)); S = S2 if i % 40 else torch.randn(16, 2)
    if i < 20: continue
    k = torch.randint(0, len(buf), (8,)); s, a, r, s2 = (torch.cat([buf[j][c] for j in k]) for c in range(4))
    with torch.no_grad(): a2, lp = act(s2); z = torch.cat([s2, a2], 1); tgt = r + 0.95 * (torch.min(t1(z), t2(z)) - la.exp() * lp)
    x = torch.cat([s, a], 1); lq = F.mse_loss(q1(x), tgt) + F.mse_loss(q2(x), tgt); oq.zero_grad(); lq.backward(); oq.step()
    a, lp = act(s); x = torch.cat([s, a], 1); lpi = (la.exp().detach() * lp - torch.min(q1(x), q2(x))).mean(); op.zero_grad(); lpi.backward(); op.step()
    l = -(la * (lp.detach() - 1)).mean(); oa.zero_grad(); l.backward(); oa.step()
    with torch.no_grad():
        for t, q in ((t1, q1), (t2, q2)):
            for p, o in zip(t.parameters(), q.parameters()): p.lerp_(o, 0.02)
s = torch.randn(256, 2)
with torch.no_grad():
    for _ in range(40): s = env(s, pi(s)[:, :1].tanh())
print(float(lq), float(s.norm(dim=1).mean()))
