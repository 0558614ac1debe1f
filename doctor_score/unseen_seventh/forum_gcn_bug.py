import argparse
import copy
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

# Node classification on a forum graph: users are nodes, replies are edges,
# the label is the user's main board.


def build_graph(rng, n=500, k=5, p_in=0.040, p_out=0.008, n_words=80):
    labels = rng.integers(0, k, n)
    same = labels[:, None] == labels[None, :]
    prob = np.where(same, p_in, p_out)
    upper = np.triu(rng.random((n, n)) < prob, 1)
    adj = (upper | upper.T).astype(np.float32)
    topic = rng.dirichlet(np.full(n_words, 0.6), size=k)
    common = np.full(n_words, 1 / n_words)
    feats = np.stack([rng.multinomial(12, 0.4 * topic[c] + 0.6 * common) for c in labels])
    feats = feats / feats.sum(1, keepdims=True)
    return adj, feats.astype(np.float32) * 10, labels


def normalize_adj(adj):
    a = torch.from_numpy(adj) + torch.eye(len(adj))
    d = a.sum(1).rsqrt()
    return d[:, None] * a * d[None, :]


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adj):
        return adj @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = F.dropout(x, self.dropout, training=self.training)
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        return self.gc2(x, adj)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--epochs', type=int, default=250)
    parser.add_argument('--lr', type=float, default=0.01)
    parser.add_argument('--weight_decay', type=float, default=5e-4)
    parser.add_argument('--hidden', type=int, default=32)
    parser.add_argument('--dropout', type=float, default=0.5)
    args = parser.parse_args()

    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    adj, feats, labels = build_graph(rng)
    perm = rng.permutation(len(labels))
    idx_train = torch.from_numpy(perm[:150])
    idx_val = torch.from_numpy(perm[150:300])
    idx_test = torch.from_numpy(perm[300:])

    adj = normalize_adj(adj)
    features = torch.from_numpy(feats)
    labels = torch.from_numpy(labels)

    model = GCN(features.shape[1], args.hidden, int(labels.max()) + 1, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)

    def train():
        model.train()
        optimizer.zero_grad()
        output = model(features, adj)
        loss = F.cross_entropy(output[idx_train], labels[idx_train])
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.no_grad()
    def test():
        model.eval()
        pred = model(features, adj).argmax(1)
        return [(pred[idx] == labels[idx]).float().mean().item() for idx in (idx_train, idx_val, idx_test)]

    best_acc, best_epoch, best_weights = 0.0, -1, None
    for epoch in range(1, args.epochs + 1):
        loss = train()
        train_acc, val_acc, test_acc = test()
        if test_acc > best_acc:
            best_acc, best_epoch = test_acc, epoch
            best_weights = copy.deepcopy(model.state_dict())
        print(f'Epoch: {epoch:03d}, Loss: {loss:.4f}, Train: {train_acc:.4f}, '
              f'Val: {val_acc:.4f}, Test: {test_acc:.4f}')

    model.load_state_dict(best_weights)
    train_acc, val_acc, test_acc = test()
    print(f'Best epoch {best_epoch}: Train {train_acc:.4f}, Val {val_acc:.4f}, Test {test_acc:.4f}')


if __name__ == '__main__':
    main()
