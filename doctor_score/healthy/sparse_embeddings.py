"""Matrix factorization with sparse gradients: SparseAdam for the tables, Adam for what is above them."""
import argparse

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

users, items = torch.randint(0, 100, (8000,)), torch.randint(0, 80, (8000,))
true_users, true_items = torch.randn(100, 3), torch.randn(80, 3)
ratings = (true_users[users] * true_items[items]).sum(1) + 0.1 * torch.randn(8000)


class Factors(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(100, 8, sparse=True)
        self.items = nn.Embedding(80, 8, sparse=True)
        self.mix = nn.Linear(8, 1)

    def forward(self, u, i):
        return self.mix(self.users(u) * self.items(i)).squeeze(1)


model = Factors()
tables = torch.optim.SparseAdam([model.users.weight, model.items.weight], lr=1e-2)
rest = torch.optim.Adam(model.mix.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(users[:7000], items[:7000], ratings[:7000]), batch_size=128, shuffle=True)
for epoch in range(12):
    model.train()
    for u, i, r in loader:
        tables.zero_grad()
        rest.zero_grad()
        loss = F.mse_loss(model(u, i), r)
        loss.backward()
        tables.step()
        rest.step()
    model.eval()
    with torch.no_grad():
        val = F.mse_loss(model(users[7000:], items[7000:]), ratings[7000:])
    print(f"epoch {epoch}: train {loss.item():.4f} val {val.item():.4f}")
