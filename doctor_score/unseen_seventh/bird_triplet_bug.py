"""Batch-hard triplet loss on bird-call spectra (after Hermans et al. 2017).

The species of the validation set do not occur in the training set.
"""
import argparse
import random
from collections import defaultdict

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

N_BINS = 48


def synth_species(rng):
    k = rng.integers(3, 6)
    return rng.uniform(4, N_BINS - 4, k), rng.uniform(0.5, 1.2, k), rng.uniform(1.0, 2.5, k)


def synth_call(rng, species):
    centres, amps, widths = species
    f = np.arange(N_BINS)
    shift = rng.normal(0, 0.8)
    call = np.zeros(N_BINS)
    for c, a, w in zip(centres, amps, widths):
        call += a * rng.uniform(0.5, 1.5) * np.exp(-0.5 * ((f - c - shift) / w) ** 2)
    # wind: strong low-frequency slope that tells nothing about the bird
    call += rng.normal(0, 1.0) * np.exp(-f / 15) + rng.normal(0, 0.8) * f / N_BINS
    return call + rng.normal(0, 0.18, N_BINS)


def make_set(rng, n_species, per_species):
    x, y = [], []
    for s in range(n_species):
        sp = synth_species(rng)
        for _ in range(per_species):
            x.append(synth_call(rng, sp))
            y.append(s)
    return torch.tensor(np.array(x), dtype=torch.float32), torch.tensor(y)


class PKSampler:
    """P species with K calls each"""

    def __init__(self, labels, P, K, n_batches):
        self.by_label = defaultdict(list)
        for i, l in enumerate(labels.tolist()):
            self.by_label[l].append(i)
        self.P, self.K, self.n_batches = P, K, n_batches

    def __iter__(self):
        for _ in range(self.n_batches):
            batch = []
            for l in random.sample(sorted(self.by_label), self.P):
                batch += random.sample(self.by_label[l], self.K)
            yield batch


class Embedder(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(N_BINS, 128), nn.ReLU(),
            nn.Linear(128, 128), nn.ReLU(),
            nn.Linear(128, dim),
        )

    def forward(self, x):
        return self.net(x)


def pairwise_distances(e):
    sq = (e ** 2).sum(1)
    d2 = sq[:, None] + sq[None, :] - 2 * e @ e.t()
    return d2.clamp(min=0).sqrt()


def batch_hard_triplet_loss(e, labels, margin):
    dist = pairwise_distances(e)
    same = labels[:, None] == labels[None, :]
    hardest_pos = (dist * same.float()).max(dim=1).values
    hardest_neg = dist.masked_fill(same, float('inf')).min(dim=1).values
    return F.relu(hardest_pos - hardest_neg + margin).mean()


@torch.no_grad()
def recall_at_1(model, x, y):
    model.eval()
    e = model(x)
    d = torch.cdist(e, e)
    d.fill_diagonal_(float('inf'))
    return (y[d.argmin(1)] == y).float().mean().item()


if __name__ == '__main__':
    ap = argparse.ArgumentParser()
    ap.add_argument('--seed', type=int, default=0)
    ap.add_argument('--margin', type=float, default=0.5)
    ap.add_argument('--epochs', type=int, default=20)
    a = ap.parse_args()
    random.seed(a.seed); np.random.seed(a.seed); torch.manual_seed(a.seed)

    rng = np.random.default_rng(a.seed)
    x_tr, y_tr = make_set(rng, 60, 30)
    x_va, y_va = make_set(rng, 25, 20)
    mean, std = x_tr.mean(0), x_tr.std(0)
    x_tr, x_va = (x_tr - mean) / std, (x_va - mean) / std

    model = Embedder()
    opt = torch.optim.Adam(model.parameters(), lr=5e-4)
    sampler = PKSampler(y_tr, P=12, K=4, n_batches=40)
    print('recall@1 before training %.3f' % recall_at_1(model, x_va, y_va))

    for epoch in range(a.epochs):
        model.train()
        losses = []
        for idx in sampler:
            loss = batch_hard_triplet_loss(model(x_tr[idx]), y_tr[idx], a.margin)
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print('epoch %2d  triplet loss %.4f  recall@1 %.3f'
              % (epoch, np.mean(losses), recall_at_1(model, x_va, y_va)))
