# Strength of concrete mixtures. The batch that we want (256) does not fit into our small card, so
# eight micro-batches are accumulated by hand.
import argparse

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MICRO_BATCH = 32
ACCUMULATION_STEPS = 8


def mixtures(n):
    cement = torch.empty(n).uniform_(120, 520)
    slag = torch.relu(torch.randn(n) * 90 + 50)
    water = torch.empty(n).uniform_(125, 240)
    plasticiser = torch.relu(torch.randn(n) * 5 + 4)
    coarse = torch.empty(n).uniform_(800, 1140)
    fine = torch.empty(n).uniform_(600, 990)
    log_age = torch.empty(n).uniform_(0, 5.5)
    air = torch.randn(n) * 1.2 + 4
    ratio = water / (cement + 0.6 * slag)
    strength = 95 * torch.exp(-1.5 * ratio) * (1 - torch.exp(-0.45 * (log_age + 0.4)))
    strength = strength + 1.2 * torch.tanh((plasticiser - 6) / 3) * (ratio < 0.6) * 3 - 1.5 * (air - 4)
    strength = strength + 4 * torch.sin((coarse - fine) / 70) + 1.5 * torch.randn(n)
    return torch.stack([cement, slag, water, plasticiser, coarse, fine, log_age, air], 1), strength.unsqueeze(1)


def get_dataloaders():
    features, strength = mixtures(5120)
    n_train = 4096
    f_mean, f_std = features[:n_train].mean(0), features[:n_train].std(0)
    s_mean, s_std = strength[:n_train].mean(), strength[:n_train].std()
    features = (features - f_mean) / f_std
    strength = (strength - s_mean) / s_std
    train = DataLoader(TensorDataset(features[:n_train], strength[:n_train]), batch_size=MICRO_BATCH, shuffle=True)
    evaluation = DataLoader(TensorDataset(features[n_train:], strength[n_train:]), batch_size=256)
    return train, evaluation, s_std


class Regressor(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, width), nn.Linear(width, width), nn.Linear(width, width)])
        self.final = nn.Linear(width, 1)

    def forward(self, x):
        for layer in self.layers:
            x = nn.functional.gelu(layer(x))
        return self.final(x)


def training_function(args):
    accelerator = Accelerator(cpu=True)
    set_seed(args.seed)
    train_dataloader, eval_dataloader, unit = get_dataloaders()
    model = Regressor()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.08, momentum=0.9, nesterov=True)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[42, 46], gamma=0.3)
    model, optimizer, train_dataloader, eval_dataloader = accelerator.prepare(
        model, optimizer, train_dataloader, eval_dataloader
    )

    for epoch in range(args.epochs):
        model.train()
        epoch_loss = 0.0
        for step, (x, y) in enumerate(train_dataloader):
            loss = nn.functional.smooth_l1_loss(model(x), y, beta=0.5)
            epoch_loss += loss.detach().item()
            accelerator.backward(loss)
            if (step + 1) % ACCUMULATION_STEPS == 0:
                optimizer.step()
                optimizer.zero_grad()
        scheduler.step()

        model.eval()
        errors = []
        for x, y in eval_dataloader:
            with torch.no_grad():
                predictions = model(x)
            errors.append(accelerator.gather_for_metrics((predictions - y).abs()))
        mae = torch.cat(errors).mean() * unit
        if (epoch + 1) % 4 == 0:
            accelerator.print(f"epoch {epoch + 1}: loss {epoch_loss / len(train_dataloader):.4f}, MAE {mae:.3f} MPa")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=48)
    training_function(parser.parse_args())
