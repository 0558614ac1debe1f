"""Attention-pooled inputs and a softmax-gated mixture of experts; the experts' *logits* are mixed
and go to cross entropy (softmax appears twice in the model, never on the output)."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


class AttnPool(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(d, d), nn.Tanh(), nn.Linear(d, 1))
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        return (self.softmax(self.score(x)) * x).sum(1)


class MoE(nn.Module):
    def __init__(self, d, h, k, experts=4):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(d, h), nn.ReLU())
        self.pool = AttnPool(h)
        self.gate = nn.Linear(h, experts)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(h, h), nn.ReLU(), nn.Linear(h, k)) for _ in range(experts))

    def forward(self, x):
        z = self.pool(self.encode(x))
        g = F.softmax(self.gate(z), dim=-1)
        out = torch.stack([e(z) for e in self.experts], dim=1)
        return (g.unsqueeze(-1) * out).sum(1), g


def make_bags(n, centers, size=6):
    """Bags of vectors; the one loud vector near a class centre decides the class, others are background."""
    k, d = centers.shape
    y = torch.randint(k, (n,))
    x = 0.9 * torch.randn(n, size, d)
    where = torch.randint(size, (n,))
    x[torch.arange(n), where] += centers[y]
    return TensorDataset(x, y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    ds = make_bags(3000, torch.randn(5, 10))
    train, val = random_split(ds, [2400, 600])
    train, val = DataLoader(train, 64, shuffle=True), DataLoader(val, 200)
    model = MoE(10, 32, 5)
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(6):
        model.train()
        run = 0.0
        for x, y in train:
            logits, _ = model(x)
            loss = F.cross_entropy(logits, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            run += loss.item()
        model.eval()
        ok, usage = 0, torch.zeros(4)
        with torch.no_grad():
            for x, y in val:
                logits, g = model(x)
                ok += (logits.argmax(1) == y).sum().item()
                usage += g.sum(0)
        print(f"epoch {epoch} loss {run / len(train):.4f} val acc {ok / 600:.4f} gate use {[round(u, 2) for u in (usage / 600).tolist()]}")
    print("final val acc", ok / 600)


if __name__ == "__main__":
    main()
