import torch
import torch.nn as nn
from accelerate import Accelerator
from accelerate.utils import set_seed
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(10)

config = {"lr": 0.06, "num_epochs": 30, "seed": 10, "micro_batch_size": 16, "accumulation_steps": 4}


def get_dataloaders(accelerator, batch_size):
    x, y = make_friedman1(n_samples=8192 + 1600, n_features=12, noise=1.0, random_state=10)
    n = 8192
    xs = StandardScaler().fit(x[:n])
    ys = StandardScaler().fit(y[:n, None])
    x = torch.tensor(xs.transform(x), dtype=torch.float32)
    y = torch.tensor(ys.transform(y[:, None])[:, 0], dtype=torch.float32)
    train = DataLoader(TensorDataset(x[:n], y[:n]), batch_size=batch_size, shuffle=True)
    evaluation = DataLoader(TensorDataset(x[n:], y[n:]), batch_size=200)
    return train, evaluation


class Regressor(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        return self.body(x).squeeze(-1)


def training_function(config):
    accelerator = Accelerator(cpu=True)
    set_seed(config["seed"])
    train_dataloader, eval_dataloader = get_dataloaders(accelerator, config["micro_batch_size"])
    model = Regressor(12)
    optimizer = torch.optim.SGD(model.parameters(), lr=config["lr"], momentum=0.9)
    model, optimizer, train_dataloader, eval_dataloader = accelerator.prepare(
        model, optimizer, train_dataloader, eval_dataloader
    )
    loss_function = nn.MSELoss()
    accumulation_steps = config["accumulation_steps"]

    for epoch in range(config["num_epochs"]):
        model.train()
        running = 0.0
        for step, (x, y) in enumerate(train_dataloader):
            loss = loss_function(model(x), y)
            running += loss.item()
            accelerator.backward(loss)
            if (step + 1) % accumulation_steps == 0:
                optimizer.step()
                optimizer.zero_grad()

        model.eval()
        squared, count = 0.0, 0
        for x, y in eval_dataloader:
            with torch.no_grad():
                prediction = model(x)
            prediction, reference = accelerator.gather_for_metrics((prediction, y))
            squared += (prediction - reference).pow(2).sum().item()
            count += len(reference)
        if (epoch + 1) % 5 == 0:
            accelerator.print(f"epoch {epoch + 1}: train mse {running / len(train_dataloader):.4f}, eval mse {squared / count:.4f}")


if __name__ == "__main__":
    training_function(config)
