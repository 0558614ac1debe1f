"""Semi-supervised node classification with a graph convolutional network, without a graph library."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def make_citations(num_nodes=1200, num_classes=5, num_words=300):
    """Papers cite papers of their own field more often, and use its words a little more often."""
    y = np.random.randint(0, num_classes, num_nodes)
    same = y[:, None] == y[None, :]
    upper = np.triu(np.random.rand(num_nodes, num_nodes) < np.where(same, 0.012, 0.0012), k=1)
    adj = (upper | upper.T).astype(np.float32)
    topics = np.random.rand(num_classes, num_words) < 0.1
    x = (np.random.rand(num_nodes, num_words) < np.where(topics[y], 0.07, 0.04)).astype(np.float32)
    x = x / np.maximum(x.sum(1, keepdims=True), 1.0) * 10
    return torch.from_numpy(x), torch.from_numpy(adj), torch.from_numpy(y)


def normalize(adj):
    adj = adj + torch.eye(len(adj))
    d = adj.sum(1).rsqrt()
    return d[:, None] * adj * d[None, :]


class GraphConv(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, a):
        return a @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, n_in, n_hidden, n_classes):
        super().__init__()
        self.gc1 = GraphConv(n_in, n_hidden)
        self.gc2 = GraphConv(n_hidden, n_classes)

    def forward(self, x, a):
        x = F.dropout(x, 0.5, training=self.training)
        x = F.relu(self.gc1(x, a))
        x = F.dropout(x, 0.5, training=self.training)
        return self.gc2(x, a)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--hidden", type=int, default=64)
parser.add_argument("--epochs", type=int, default=100)
args = parser.parse_args()
torch.set_num_threads(1)
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

x, adj, y = make_citations()
a = normalize(adj)
perm = torch.randperm(len(y))
train_mask = torch.zeros(len(y), dtype=torch.bool)
test_mask = torch.zeros(len(y), dtype=torch.bool)
train_mask[perm[:700]] = True
test_mask[perm[700:]] = True

model = GCN(x.size(1), args.hidden, int(y.max()) + 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)

for epoch in range(1, args.epochs + 1):
    model.train()
    optimizer.zero_grad()
    out = model(x, a)
    loss = F.cross_entropy(out[train_mask], y[train_mask])
    loss.backward()
    optimizer.step()

    model.eval()
    with torch.no_grad():
        out = model(x, a)
        test_loss = F.cross_entropy(out[test_mask], y[test_mask]).item()
        pred = out.argmax(dim=1)
        test_acc = (pred[test_mask] == y[test_mask]).float().mean().item()
    if epoch % 10 == 0:
        print(f"Epoch {epoch:03d}, Loss: {loss.item():.4f}, Test loss: {test_loss:.4f}, Test acc: {test_acc:.4f}")
