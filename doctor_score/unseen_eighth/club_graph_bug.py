"""Node classification with a two-layer graph convolutional network, written without PyG.

Members of a club network; the label is the section they belong to. Features: words of their profile.
"""
from __future__ import print_function, division

import argparse
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.nn.parameter import Parameter


def load_data(seed, n=900, classes=6, words=300):
    rng = np.random.RandomState(seed)
    labels = rng.randint(0, classes, n)
    prob = np.where(labels[:, None] == labels[None, :], 0.021, 0.0030)
    upper = np.triu(rng.rand(n, n) < prob, 1)
    adj = (upper | upper.T).astype(np.float64)

    topic = rng.dirichlet(np.full(words, 0.4), classes)
    mixed = 0.45 * topic + 0.55 * topic.mean(0)
    features = np.stack([rng.multinomial(14, mixed[c]) > 0 for c in labels]).astype(np.float64)
    features *= 4.0 / features.sum(1, keepdims=True)

    adj = adj + np.eye(n)
    d = 1.0 / np.sqrt(adj.sum(1))
    adj = adj * d[:, None] * d[None, :]

    idx = rng.permutation(n)
    idx_train, idx_val, idx_test = idx[:240], idx[240:480], idx[480:]
    return (torch.FloatTensor(adj), torch.FloatTensor(features), torch.LongTensor(labels),
            torch.LongTensor(idx_train), torch.LongTensor(idx_val), torch.LongTensor(idx_test))


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features):
        super(GraphConvolution, self).__init__()
        self.weight = Parameter(torch.empty(in_features, out_features))
        self.bias = Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, input, adj):
        return adj @ (input @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super(GCN, self).__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        x = self.gc2(x, adj)
        return F.log_softmax(x, dim=1)


parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
parser.add_argument('--epochs', type=int, default=200)
parser.add_argument('--lr', type=float, default=0.01)
parser.add_argument('--weight_decay', type=float, default=5e-3)
parser.add_argument('--hidden', type=int, default=24)
parser.add_argument('--dropout', type=float, default=0.5)
args = parser.parse_args()

np.random.seed(args.seed)
torch.manual_seed(args.seed)

adj, features, labels, idx_train, idx_val, idx_test = load_data(args.seed)

model = GCN(nfeat=features.shape[1], nhid=args.hidden, nclass=labels.max().item() + 1, dropout=args.dropout)
optimizer = optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)


def accuracy(output, labels):
    return (output.argmax(1) == labels).double().mean().item()


def train(epoch):
    t = time.time()
    model.train()
    optimizer.zero_grad()
    output = model(features, adj)
    loss_train = F.nll_loss(output, labels)
    acc_train = accuracy(output[idx_train], labels[idx_train])
    loss_train.backward()
    optimizer.step()

    model.eval()
    with torch.no_grad():
        output = model(features, adj)
        loss_val = F.nll_loss(output[idx_val], labels[idx_val])
        acc_val = accuracy(output[idx_val], labels[idx_val])
    if (epoch + 1) % 20 == 0:
        print('Epoch: {:04d}'.format(epoch + 1),
              'loss_train: {:.4f}'.format(loss_train.item()),
              'acc_train: {:.4f}'.format(acc_train),
              'loss_val: {:.4f}'.format(loss_val.item()),
              'acc_val: {:.4f}'.format(acc_val),
              'time: {:.4f}s'.format(time.time() - t))


def test():
    model.eval()
    with torch.no_grad():
        output = model(features, adj)
        loss_test = F.nll_loss(output[idx_test], labels[idx_test])
        print("Test set results:",
              "loss= {:.4f}".format(loss_test.item()),
              "accuracy= {:.4f}".format(accuracy(output[idx_test], labels[idx_test])))


for epoch in range(args.epochs):
    train(epoch)
print("Optimization Finished!")
test()
