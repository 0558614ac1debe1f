import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Actor and critic apart, one optimizer; returns in the hundreds, raw
class AC(nn.Module):
    def __init__(s): super().__init__(); mk = lambda o: nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, o)); s.pi, s.v = mk(2), mk(1)
    def forward(s, x): return torch.distributions.Categorical(logits=s.pi(x)), s.v(x)[:, 0]
ac = AC(); opt = torch.optim.Adam(ac.parameters(), 3e-3)
for i in range(300):
    x = torch.randn(256, 3); d, v = ac(x); a = d.sample(); r = 300 * ((a == (x[:, 0] > 0)).float()) + 100 * x[:, 1]
    adv = (r - v).detach(); adv = (adv - adv.mean()) / adv.std(); l = -(d.log_prob(a) * adv).mean() + 0.5 * F.mse_loss(v, r) - 0.01 * d.entropy().mean(); opt.zero_grad(); l.backward(); nn.utils.clip_grad_norm_(ac.parameters(), 0.5); opt.step()
    if i % 50 == 49: print(i, float((a == (x[:, 0] > 0)).float().mean()), float(r.mean()))
