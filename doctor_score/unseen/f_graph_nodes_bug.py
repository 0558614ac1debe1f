"""Node classification on a random community graph: two-layer GCN, dense adjacency, full batch."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F


def community_graph(n, classes, dim, gen):
    label = torch.randint(classes, (n,), generator=gen)
    same = label[:, None] == label[None, :]
    prob = torch.where(same, 0.012, 0.004)
    upper = (torch.rand(n, n, generator=gen) < prob).float().triu(1)
    adj = upper + upper.T
    centers = torch.randn(classes, dim, generator=gen)
    feats = 0.5 * centers[label] + torch.randn(n, dim, generator=gen)
    return feats, adj, label


def normalize(adj):
    adj = adj + torch.eye(len(adj))
    d = adj.sum(1).rsqrt()
    return d[:, None] * adj * d[None, :]


class GraphConv(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.lin = nn.Linear(d_in, d_out)

    def forward(self, x, a):
        return a @ self.lin(x)


class GCN(nn.Module):
    def __init__(self, d_in, hidden, classes, p=0.4):
        super().__init__()
        self.conv1 = GraphConv(d_in, hidden)
        self.conv2 = GraphConv(hidden, classes)
        self.drop = nn.Dropout(p)

    def forward(self, x, a):
        h = F.relu(self.conv1(x, a))
        return self.conv2(self.drop(h), a)


def split_nodes(n, gen):
    """Half of the nodes for training, a quarter for validation, a quarter for the final test."""

    def draw(count):
        return torch.randperm(n, generator=gen)[:count]

    return draw(n // 2), draw(n // 4), draw(n // 4)


def accuracy(logits, label, nodes):
    return (logits[nodes].argmax(1) == label[nodes]).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed)

    x, adj, y = community_graph(1200, 5, 24, gen)
    train, valid, test = split_nodes(len(y), gen)
    x = (x - x[train].mean(0)) / x[train].std(0)
    a = normalize(adj)

    model = GCN(x.shape[1], 16, 5)
    opt = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-3)
    best, best_state = 0.0, None
    for epoch in range(1, 101):
        model.train()
        opt.zero_grad()
        loss = F.cross_entropy(model(x, a)[train], y[train])
        loss.backward()
        opt.step()

        model.eval()
        with torch.no_grad():
            logits = model(x, a)
        acc = accuracy(logits, y, valid)
        if acc > best:
            best, best_state = acc, {k: v.clone() for k, v in model.state_dict().items()}
        if epoch % 10 == 0:
            val_loss = F.cross_entropy(logits[valid], y[valid]).item()
            print(f"{epoch:3d} | loss {loss.item():.3f} | val loss {val_loss:.3f} | val acc {acc:.3f}")

    model.load_state_dict(best_state)
    model.eval()
    with torch.no_grad():
        print(f"test accuracy {accuracy(model(x, a), y, test):.3f}")


if __name__ == "__main__":
    main()
