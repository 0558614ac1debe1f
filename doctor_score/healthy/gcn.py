"""Two-layer GCN on a stochastic block model graph. Transductive: the whole graph goes through
the network, the loss looks at the training nodes only."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F


def block_graph(n, k, p_in, p_out):
    y = torch.randint(k, (n,))
    same = y[:, None] == y[None, :]
    prob = torch.where(same, p_in, p_out)
    upper = torch.triu((torch.rand(n, n) < prob).float(), diagonal=1)
    adj = upper + upper.T
    return adj, y


def normalise(adj):
    a = adj + torch.eye(adj.size(0))
    d = a.sum(1).rsqrt()
    return d[:, None] * a * d[None, :]


class GCN(nn.Module):
    def __init__(self, f, h, k):
        super().__init__()
        self.w1, self.w2 = nn.Linear(f, h), nn.Linear(h, k)
        self.drop = nn.Dropout(0.5)

    def forward(self, a, x):
        h = F.relu(a @ self.w1(self.drop(x)))
        return a @ self.w2(self.drop(h))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    torch.set_num_threads(1)
    n, k, f = 500, 4, 16
    adj, y = block_graph(n, k, 0.06, 0.01)
    x = torch.randn(k, f)[y] * 0.5 + torch.randn(n, f)
    perm = torch.randperm(n)
    masks = {}
    for name, part in zip(("train", "val", "test"), (perm[:150], perm[150:300], perm[300:])):
        masks[name] = torch.zeros(n, dtype=torch.bool)
        masks[name][part] = True
    a = normalise(adj)
    model = GCN(f, 32, k)
    opt = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    best_val, test_at_best = 0.0, 0.0
    for epoch in range(1, 151):
        model.train()
        opt.zero_grad()
        out = model(a, x)
        loss = F.cross_entropy(out[masks["train"]], y[masks["train"]])
        loss.backward()
        opt.step()

        model.eval()
        with torch.no_grad():
            hit = model(a, x).argmax(1) == y
        acc = {m: hit[i].float().mean().item() for m, i in masks.items()}
        if acc["val"] > best_val:
            best_val, test_at_best = acc["val"], acc["test"]
        if epoch % 30 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f} train {acc['train']:.3f} val {acc['val']:.3f}")
    print(f"best val {best_val:.3f}, test at that epoch {test_at_best:.3f}")


if __name__ == "__main__":
    main()
