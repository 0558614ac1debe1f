"""A model class shared between projects: `rotation_head` belongs to another experiment and is never
called here; `embedding_head` is computed for logging of embeddings, but no loss uses it."""
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class SharedBackbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
        self.class_head = nn.Linear(64, 10)
        self.rotation_head = nn.Linear(64, 4)
        self.embedding_head = nn.Linear(64, 2)

    def forward(self, x):
        h = self.backbone(x)
        return {"logits": self.class_head(h), "embedding": self.embedding_head(h)}


def main(seed=0):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    d = load_digits()
    a, b, ya, yb = train_test_split(d.data / 16.0, d.target, test_size=0.2, random_state=seed)
    mean, std = a.mean(), a.std()
    to = lambda x: torch.tensor((x - mean) / std, dtype=torch.float32)
    train = DataLoader(TensorDataset(to(a), torch.tensor(ya)), batch_size=64, shuffle=True)
    xb, yb = to(b), torch.tensor(yb)

    model = SharedBackbone()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(8):
        model.train()
        losses, spread = 0.0, 0.0
        for x, y in train:
            out = model(x)
            loss = nn.functional.cross_entropy(out["logits"], y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.item()
            spread += out["embedding"].detach().std().item()
        print(f"epoch {epoch}  loss {losses / len(train):.4f}  embedding spread {spread / len(train):.3f}")
    model.eval()
    with torch.no_grad():
        acc = (model(xb)["logits"].argmax(1) == yb).float().mean()
    print(f"test accuracy {acc:.4f}")


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--seed", type=int, default=0)
    main(**vars(cli.parse_args()))
