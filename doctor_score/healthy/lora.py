"""Low-rank adapters on a frozen base. The base learns upright digits; the adapters
learn transposed digits. B starts at zero so the adapted net begins as the base net."""
import argparse, math
import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits

class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, r=8, alpha=16):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad = False
        self.A = nn.Parameter(torch.empty(r, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        self.scale = alpha / r
    def forward(self, x):
        return self.base(x) + self.scale * F.linear(F.linear(x, self.A), self.B)

def batches(n, bs):
    yield from torch.randperm(n).split(bs)

def train(model, x, y, epochs, lr):
    opt = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr, weight_decay=0.01)
    for e in range(epochs):
        s = 0.
        for b in batches(len(x), 64):
            loss = F.cross_entropy(model(x[b]), y[b])
            opt.zero_grad(); loss.backward(); opt.step()
            s += loss.item() * len(b)
        print(f"  epoch {e + 1}/{epochs} loss {s / len(x):.4f}")

@torch.no_grad()
def acc(model, x, y):
    was = model.training
    model.eval()
    a = (model(x).argmax(1) == y).float().mean().item()
    model.train(was)
    return a

if __name__ == "__main__":
    ap = argparse.ArgumentParser(); ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    torch.set_num_threads(1); torch.manual_seed(a.seed)
    d = load_digits()
    imgs = torch.tensor(d.images, dtype=torch.float32) / 8 - 1
    y = torch.tensor(d.target)
    p = torch.randperm(len(y)); tr, te = p[:1300], p[1300:]
    up, tp = imgs.flatten(1), imgs.transpose(1, 2).flatten(1)
    model = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 128), nn.GELU(), nn.Linear(128, 10))
    print("base:"); train(model, up[tr], y[tr], 8, 2e-3)
    print("base acc upright %.3f transposed %.3f" % (acc(model, up[te], y[te]), acc(model, tp[te], y[te])))
    for i in (0, 2, 4):
        model[i] = LoRALinear(model[i])
    n = sum(q.numel() for q in model.parameters() if q.requires_grad)
    print("adapters:", n, "trainable"); train(model, tp[tr], y[tr], 14, 3e-3)
    print("final acc transposed %.3f" % acc(model, tp[te], y[te]))
