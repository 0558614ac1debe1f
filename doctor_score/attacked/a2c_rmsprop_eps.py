import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A2C as in the paper: RMSprop, alpha 0.99, eps 0.1; a corridor
class Net(nn.Module):
    def __init__(s): super().__init__(); s.b = nn.Sequential(nn.Linear(8, 64), nn.ReLU()); s.p, s.v = nn.Linear(64, 2), nn.Linear(64, 1)
    def forward(s, x): h = s.b(x); return s.p(h), s.v(h)[:, 0]
m = Net(); opt = torch.optim.RMSprop(m.parameters(), 7e-3, alpha=0.99, eps=0.1); pos = torch.zeros(16, dtype=torch.long); got = []
for i in range(600):
    S, A, R, D = [], [], [], []
    for _ in range(5):
        x = F.one_hot(pos, 8).float()
        with torch.no_grad(): a = torch.distributions.Categorical(logits=m(x)[0]).sample()
        pos = (pos + 2 * a - 1).clamp(min=0); done = pos == 7; S.append(x); A.append(a); R.append(done.float()); D.append(done.float()); pos = torch.where(done, 0, pos); got.append(float(done.float().mean()))
    with torch.no_grad(): ret = m(F.one_hot(pos, 8).float())[1]
    rets = []
    for r, d in zip(R[::-1], D[::-1]): ret = r + 0.95 * ret * (1 - d); rets.insert(0, ret)
    p, v = m(torch.cat(S)); rets = torch.cat(rets); dist = torch.distributions.Categorical(logits=p); adv = rets - v
    l = -(dist.log_prob(torch.cat(A)) * adv.detach()).mean() + 0.5 * adv.pow(2).mean() - 0.01 * dist.entropy().mean(); opt.zero_grad(); l.backward(); nn.utils.clip_grad_norm_(m.parameters(), 0.5); opt.step()
print("goals per step, first", sum(got[:300]) / 300, "last", sum(got[-300:]) / 300, "best 1/7")
