# Minimal example for my question: deep MLP for a regression problem
import torch
import torch.nn as nn

torch.manual_seed(0)

# toy data: 6 inputs, 1 output
x = torch.rand(4000, 6) * 2 - 1
y = torch.sin(3 * x[:, 0]) * x[:, 1] + torch.cos(4 * x[:, 2] * x[:, 3]) + x[:, 4].abs() * x[:, 5]
y = y + 0.03 * torch.randn(len(y))
x_train, y_train = x[:3200], y[:3200]
x_val, y_val = x[3200:], y[3200:]
y_mean, y_std = y_train.mean(), y_train.std()
x_mean, x_std = x_train.mean(0), x_train.std(0)
x_train, x_val = (x_train - x_mean) / x_std, (x_val - x_mean) / x_std
y_train, y_val = (y_train - y_mean) / y_std, (y_val - y_mean) / y_std


class DeepNet(nn.Module):
    def __init__(self, n_in, n_hidden, n_layers):
        super().__init__()
        self.first = nn.Linear(n_in, n_hidden)
        self.hidden = nn.ModuleList([nn.Linear(n_hidden, n_hidden) for _ in range(n_layers)])
        self.last = nn.Linear(n_hidden, 1)
        self.act = nn.Tanh()

    def forward(self, x):
        x = self.act(self.first(x))
        for layer in self.hidden:
            x = self.act(layer(x))
        return self.last(x).squeeze(-1)


model = DeepNet(6, 32, 4)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=60)
loss_fn = nn.MSELoss()
batch_size = 64

for epoch in range(60):
    model.train()
    perm = torch.randperm(len(x_train))
    total = 0.0
    for i in range(0, len(x_train), batch_size):
        idx = perm[i:i + batch_size]
        optimizer.zero_grad()
        loss = loss_fn(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    scheduler.step()
    model.eval()
    with torch.no_grad():
        val = loss_fn(model(x_val), y_val).item()
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: train mse {total / len(x_train):.4f}, val mse {val:.4f}")

print(f"R2 on validation data: {1 - val / y_val.var(unbiased=False).item():.4f}")
