import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Turbo autoencoder: the interleaver is a fixed permutation, drawn from its seed in each forward pass
L = 40
class Enc(nn.Module):
    def __init__(s): super().__init__(); s.a = nn.Sequential(nn.Conv1d(1, 16, 5, padding=2), nn.ELU(), nn.Conv1d(16, 2, 5, padding=2)); s.b = nn.Sequential(nn.Conv1d(1, 16, 5, padding=2), nn.ELU(), nn.Conv1d(16, 1, 5, padding=2)); s.dec = nn.Sequential(nn.Conv1d(3, 32, 5, padding=2), nn.ELU(), nn.Conv1d(32, 1, 5, padding=2))
    def forward(s, bits, noise):
        perm = torch.randperm(L, generator=torch.Generator().manual_seed(1)); u = 2 * bits[:, None] - 1
        c = torch.cat([s.a(u), s.b(u[..., perm])], 1); c = (c - c.mean(dim=(1, 2), keepdim=True)) / c.std(dim=(1, 2), keepdim=True); r = c + noise
        return s.dec(torch.cat([r[:, :2], r[:, 2:][..., perm.argsort()]], 1))[:, 0]
m = Enc(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(250):
    b = torch.randint(0, 2, (64, L)).float(); l = F.binary_cross_entropy_with_logits(m(b, 0.7 * torch.randn(64, 3, L)), b); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): b = torch.randint(0, 2, (500, L)).float(); print("bit error rate", float(((m(b, 0.7 * torch.randn(500, 3, L)) > 0) != b.bool()).float().mean()))
