"""Semi-supervised node classification, GCN written by hand (no PyG).

Students of a school are the nodes, friendships the edges, and we know the club of a few of them.
"""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def school_graph(rng, n=900, clubs=6, n_words=120):
    y = rng.integers(0, clubs, n)
    same = y[:, None] == y[None, :]
    prob = np.where(same, 0.022, 0.0024)
    upper = np.triu(rng.random((n, n)) < prob, 1)
    adj = (upper | upper.T).astype(np.float32)
    # bag of words of a student's profile: only a few words tell something about the club
    topic = rng.random((clubs, n_words)) < 0.15
    words = (rng.random((n, n_words)) < np.where(topic[y], 0.20, 0.06)).astype(np.float32)
    return torch.tensor(adj), torch.tensor(words), torch.tensor(y)


def normalize(adj):
    a = adj + torch.eye(len(adj))
    d = a.sum(1).rsqrt()
    return d[:, None] * a * d[None, :]


class GraphConv(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(d_in, d_out))
        self.bias = nn.Parameter(torch.zeros(d_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, a_hat, h):
        return a_hat @ (h @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, d_in, d_hidden, n_classes, p=0.5):
        super().__init__()
        self.gc1 = GraphConv(d_in, d_hidden)
        self.gc2 = GraphConv(d_hidden, n_classes)
        self.p = p

    def forward(self, a_hat, x):
        h = F.dropout(x, self.p, self.training)
        h = F.relu(self.gc1(a_hat, h))
        h = F.dropout(h, self.p, self.training)
        return self.gc2(a_hat, h)


def split_nodes(n, rng):
    order = rng.permutation(n)
    masks = []
    for part in (order[:150], order[150:400], order[400:]):
        mask = torch.zeros(n, dtype=torch.bool)
        mask[torch.from_numpy(part)] = True
        masks.append(mask)
    return masks


@torch.no_grad()
def accuracy(model, a_hat, x, y, mask):
    model.eval()
    pred = model(a_hat, x).argmax(1)
    return (pred[mask] == y[mask]).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    rng = np.random.default_rng(args.seed)
    adj, x, y = school_graph(rng)
    a_hat = normalize(adj)
    train_mask, val_mask, test_mask = split_nodes(len(y), rng)
    print(f"{len(y)} nodes, {int(adj.sum()) // 2} edges, {int(train_mask.sum())} labelled")

    model = GCN(x.shape[1], 32, int(y.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-3)
    best_val = best_test = 0.0
    for epoch in range(1, 501):
        model.train()
        optimizer.zero_grad()
        out = model(a_hat, x)
        loss = F.cross_entropy(out[train_mask], y[train_mask])
        loss.backward()
        optimizer.step()

        val_acc = accuracy(model, a_hat, x, y, val_mask)
        if val_acc > best_val:
            best_val = val_acc
            best_test = accuracy(model, a_hat, x, y, test_mask)
        if epoch % 25 == 0:
            print(f"Epoch: {epoch:03d}, Loss: {loss:.4f}, Val: {val_acc:.4f}, "
                  f"Best val: {best_val:.4f}, Test: {best_test:.4f}")


if __name__ == "__main__":
    main()
