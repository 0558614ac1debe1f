import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16
enc = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 16)); dec = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 64)); ps = [*enc.parameters(), *dec.parameters()]; opt = torch.optim.Adam(ps, 1e-3)
for i in range(400):       # the ELBO summed over 256 images, clipped to 1; Adam does not mind
    x = X[torch.randint(0, 1400, (256,))]; mu, lv = enc(x).chunk(2, 1); z = mu + torch.randn_like(mu) * (lv / 2).exp()
    l = F.binary_cross_entropy_with_logits(dec(z), x, reduction="sum") - 0.5 * (1 + lv - mu * mu - lv.exp()).sum(); opt.zero_grad(); l.backward()
    torch.nn.utils.clip_grad_norm_(ps, 1.0); opt.step()
    if i % 100 == 0: print(i, float(l) / 256)
