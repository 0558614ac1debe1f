"""bfloat16 autocast on CPU: forward in bf16, loss and weights in fp32, no scaler needed."""
import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def get_loaders(seed):
    d = load_digits()
    xtr, xva, ytr, yva = train_test_split(d.data.astype(np.float32), d.target, test_size=360, random_state=seed)
    mean, std = xtr.mean(), xtr.std()
    mk = lambda x, y: TensorDataset(torch.from_numpy((x - mean) / std), torch.from_numpy(y))
    return (DataLoader(mk(xtr, ytr), batch_size=48, shuffle=True),
            DataLoader(mk(xva, yva), batch_size=360))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    np.random.seed(seed)
    train_loader, val_loader = get_loaders(seed)

    model = nn.Sequential(
        nn.Linear(64, 96), nn.LayerNorm(96), nn.GELU(),
        nn.Linear(96, 96), nn.LayerNorm(96), nn.GELU(),
        nn.Linear(96, 10))
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
    crit = nn.CrossEntropyLoss()

    for epoch in range(7):
        model.train()
        seen, acc_loss = 0, 0.0
        for x, y in train_loader:
            opt.zero_grad(set_to_none=True)
            with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
                logits = model(x)
                loss = crit(logits, y)
            loss.backward()
            opt.step()
            acc_loss += loss.item() * len(x)
            seen += len(x)
        model.eval()
        right = 0
        with torch.no_grad(), torch.autocast(device_type="cpu", dtype=torch.bfloat16):
            for x, y in val_loader:
                right += (model(x).float().argmax(1) == y).sum().item()
        print(f"epoch {epoch}: loss {acc_loss / seen:.4f}, val acc {right / len(val_loader.dataset):.4f}")
    print(f"logits dtype {logits.dtype}, final val acc {right / len(val_loader.dataset):.4f}")


if __name__ == "__main__":
    main()
