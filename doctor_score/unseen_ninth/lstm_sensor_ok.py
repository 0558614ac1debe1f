import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset, random_split

torch.manual_seed(5)


class SensorDataset(Dataset):
    """Recordings with two bursts on different channels; the class says which came first, or that only one came."""

    def __init__(self, n=2400, length=40, channels=3, seed=0):
        rng = np.random.default_rng(seed)
        x = 0.85 * rng.standard_normal((n, length, channels))
        y = rng.integers(0, 3, n)
        burst = np.hanning(6)
        for i in range(n):
            first, second = rng.integers(1, 13), rng.integers(20, 32)
            a, b = (0, 1) if y[i] == 0 else (1, 0)
            x[i, first:first + 6, a] += 2.5 * burst
            if y[i] == 2:
                b = a
            x[i, second:second + 6, b] += 2.5 * burst
        self.x = torch.tensor(x, dtype=torch.float32)
        self.y = torch.tensor(y)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class SequenceClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])


def run_epoch(model, loader, criterion, optimizer=None):
    training = optimizer is not None
    model.train(training)
    total, correct, count = 0.0, 0, 0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            logits = model(x)
            loss = criterion(logits, y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            total += loss.item() * len(y)
            correct += (logits.argmax(1) == y).sum().item()
            count += len(y)
    return total / count, correct / count


dataset = SensorDataset()
train_set, val_set = random_split(dataset, [1920, 480], generator=torch.Generator().manual_seed(0))
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
val_loader = DataLoader(val_set, batch_size=32)

model = SequenceClassifier(3, 48, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(10):
    train_loss, train_acc = run_epoch(model, train_loader, criterion, optimizer)
    val_loss, val_acc = run_epoch(model, val_loader, criterion)
    print(f"epoch {epoch + 1:2d} | train loss {train_loss:.3f} acc {train_acc:.3f} | val loss {val_loss:.3f} acc {val_acc:.3f}")
