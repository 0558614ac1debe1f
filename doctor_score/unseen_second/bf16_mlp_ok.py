"""Mixed precision on the CPU: wide MLP, bfloat16 autocast."""
import argparse
import time

import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class ResidualMLP(nn.Module):
    def __init__(self, n_in, width, n_out):
        super().__init__()
        self.inp = nn.Linear(n_in, width)
        self.mid1 = nn.Linear(width, width)
        self.mid2 = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, n_out)

    def forward(self, x):
        x = torch.relu(self.inp(x))
        x = x + torch.relu(self.mid1(x))
        x = x + torch.relu(self.mid2(x))
        return self.out(self.norm(x))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    device = torch.device("cpu")

    X, y = make_classification(
        n_samples=4000, n_features=32, n_informative=16, n_classes=6, n_clusters_per_class=1,
        class_sep=1.5, flip_y=0.01, random_state=args.seed,
    )
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=args.seed, stratify=y)
    scaler = StandardScaler().fit(X_train)

    def as_loader(features, target, shuffle):
        features = torch.tensor(scaler.transform(features), dtype=torch.float32)
        data = torch.utils.data.TensorDataset(features, torch.tensor(target))
        return torch.utils.data.DataLoader(data, batch_size=64, shuffle=shuffle)

    train_loader, val_loader = as_loader(X_train, y_train, True), as_loader(X_val, y_val, False)

    model = ResidualMLP(32, 256, 6).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(args.epochs):
        start = time.time()
        model.train()
        train_loss = 0.0
        for inputs, labels in train_loader:
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device_type=device.type, dtype=torch.bfloat16):
                logits = model(inputs)
                loss = criterion(logits, labels)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(labels)

        model.eval()
        val_loss, correct = 0.0, 0
        with torch.no_grad(), torch.autocast(device_type=device.type, dtype=torch.bfloat16):
            for inputs, labels in val_loader:
                logits = model(inputs.to(device))
                val_loss += criterion(logits, labels.to(device)).item() * len(labels)
                correct += (logits.argmax(1) == labels).sum().item()
        print(
            f"epoch {epoch:2d} train {train_loss / len(y_train):.4f} val {val_loss / len(y_val):.4f} "
            f"acc {correct / len(y_val):.4f} ({time.time() - start:.1f}s)"
        )


if __name__ == "__main__":
    main()
