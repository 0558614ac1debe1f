# Activity recognition from a wrist-worn accelerometer, GRU version
import argparse
import math
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEQ_LEN, N_CHANNELS, N_CLASSES = 48, 3, 5
CLASSES = ['still', 'walk', 'run', 'wave', 'stir']


def make_recordings(n, gen):
    t = torch.arange(SEQ_LEN).float()
    y = torch.randint(0, N_CLASSES, (n,), generator=gen)
    u = lambda lo, hi: lo + (hi - lo) * torch.rand(n, 1, generator=gen)
    phase = u(0, 2 * math.pi)
    speed = torch.tensor([0.0, 0.22, 0.45, 0.30, 0.30])[y].unsqueeze(1) * u(0.88, 1.12)
    amp = torch.tensor([0.0, 0.9, 1.2, 1.0, 1.0])[y].unsqueeze(1) * u(0.75, 1.25)
    lag = torch.tensor([0.0, 0.0, 0.0, 0.0, math.pi / 2])[y].unsqueeze(1)
    arg = speed * t + phase
    x = torch.stack([amp * torch.sin(arg), amp * torch.sin(arg + lag), 0.5 * amp * torch.sin(2 * arg)], dim=2)
    x = x + 0.6 * torch.randn(x.shape, generator=gen)
    return x, y


class MotionNet(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, num_classes):
        super(MotionNet, self).__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.gru = nn.GRU(input_size, hidden_size, num_layers)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        # x: (batch, time, channels)
        out, _ = self.gru(x)
        out = self.fc(out[:, -1, :])
        return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--epochs', type=int, default=14)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed)

    x_train, y_train = make_recordings(2400, gen)
    x_test, y_test = make_recordings(640, gen)
    m, s = x_train.mean(dim=(0, 1)), x_train.std(dim=(0, 1))
    x_train, x_test = (x_train - m) / s, (x_test - m) / s

    train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
    test_loader = DataLoader(TensorDataset(x_test, y_test), batch_size=64)

    model = MotionNet(N_CHANNELS, 48, 1, N_CLASSES)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    for epoch in range(args.epochs):
        model.train()
        seen, loss_sum, hits = 0, 0.0, 0
        for seqs, labels in train_loader:
            outputs = model(seqs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            seen += len(labels)
            loss_sum += loss.item() * len(labels)
            hits += (outputs.argmax(1) == labels).sum().item()

        model.eval()
        confusion = torch.zeros(N_CLASSES, N_CLASSES, dtype=torch.long)
        with torch.no_grad():
            for seqs, labels in test_loader:
                guess = model(seqs).argmax(1)
                for a, b in zip(labels, guess):
                    confusion[a, b] += 1
        acc = confusion.diag().sum().item() / confusion.sum().item()
        print('Epoch [{}/{}] loss {:.4f} train acc {:.3f} test acc {:.3f}'.format(
            epoch + 1, args.epochs, loss_sum / seen, hits / seen, acc))

    print('recall per class:', {c: round((confusion[i, i] / confusion[i].sum()).item(), 2) for i, c in enumerate(CLASSES)})


if __name__ == '__main__':
    main()
