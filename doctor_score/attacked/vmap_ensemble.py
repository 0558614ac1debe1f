import torch, torch.nn as nn, torch.nn.functional as F
from torch.func import functional_call, stack_module_state, vmap
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); nets = [nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)) for _ in range(4)]
ps, bs = stack_module_state(nets); base = nets[0].to("meta") if False else nets[0]; ps = {k: v.detach().requires_grad_() for k, v in ps.items()}; o = torch.optim.Adam(ps.values(), 2e-3); f = lambda p, x: functional_call(base, p, (x,))
for i in range(200): k = torch.randint(0, 1400, (64,)); out = vmap(f, (0, None))(ps, X[k]); l = F.cross_entropy(out.flatten(0, 1), y[k].repeat(4)); o.zero_grad(); l.backward(); o.step()
with torch.no_grad(): print(float((vmap(f, (0, None))(ps, X[1400:]).mean(0).argmax(1) == y[1400:]).float().mean()))
