"""Response-based knowledge distillation with Accelerate.

A wide teacher is trained on the labelled windows of an accelerometer; a student that is much
smaller then learns from the teacher's soft targets (and, with a small weight, from the labels).
"""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader, TensorDataset

NUM_GESTURES = 8
WINDOW = 40


def get_gestures(n, rng, prototypes):
    labels = rng.integers(0, NUM_GESTURES, n)
    t = np.linspace(0, 1, WINDOW)
    x = np.zeros((n, WINDOW))
    for i, y in enumerate(labels):
        amp, freq, phase = prototypes[y]
        warp = t ** rng.uniform(0.85, 1.15)
        x[i] = (amp[:, None] * np.sin(2 * np.pi * freq[:, None] * warp + phase[:, None]
                                      + rng.normal(0, 0.2))).sum(0)
    x += rng.normal(0, 1.8, x.shape)
    return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(labels))


def mlp(hidden):
    return nn.Sequential(nn.Linear(WINDOW, hidden), nn.ReLU(),
                         nn.Linear(hidden, hidden), nn.ReLU(),
                         nn.Linear(hidden, NUM_GESTURES))


def distillation_loss(student_logits, teacher_logits, labels, temperature, alpha):
    soft_student = F.softmax(student_logits / temperature, dim=-1)
    soft_teacher = F.softmax(teacher_logits / temperature, dim=-1)
    soft = F.kl_div(soft_student, soft_teacher, reduction="batchmean") * temperature ** 2
    hard = F.cross_entropy(student_logits, labels)
    return alpha * soft + (1 - alpha) * hard


@torch.no_grad()
def evaluate(accelerator, model, loader):
    model.eval()
    preds, refs, nll = [], [], 0.0
    for x, y in loader:
        logits = model(x)
        logits, y = accelerator.gather_for_metrics((logits, y))
        nll += F.cross_entropy(logits, y, reduction="sum").item()
        preds.append(logits.argmax(-1))
        refs.append(y)
    preds, refs = torch.cat(preds), torch.cat(refs)
    return (preds == refs).float().mean().item(), nll / len(refs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=3.0)
    parser.add_argument("--alpha", type=float, default=0.9)
    args = parser.parse_args()

    accelerator = Accelerator(cpu=True)
    set_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    prototypes = [(rng.uniform(0.4, 1.0, 3), rng.uniform(0.5, 5, 3), rng.uniform(0, 6.28, 3))
                  for _ in range(NUM_GESTURES)]
    train_loader = DataLoader(get_gestures(8000, rng, prototypes), batch_size=50, shuffle=True)
    val_loader = DataLoader(get_gestures(800, rng, prototypes), batch_size=100)

    teacher, student = mlp(160), mlp(16)
    opt_t = torch.optim.AdamW(teacher.parameters(), lr=1e-3, weight_decay=0.05)
    opt_s = torch.optim.AdamW(student.parameters(), lr=2e-3)
    teacher, student, opt_t, opt_s, train_loader, val_loader = accelerator.prepare(
        teacher, student, opt_t, opt_s, train_loader, val_loader)

    for epoch in range(5):
        teacher.train()
        for x, y in train_loader:
            opt_t.zero_grad()
            accelerator.backward(F.cross_entropy(teacher(x), y))
            opt_t.step()
        acc, nll = evaluate(accelerator, teacher, val_loader)
        accelerator.print(f"teacher epoch {epoch}: val acc {acc:.3f} nll {nll:.3f}")

    teacher.eval()
    for epoch in range(20):
        student.train()
        total = 0.0
        for x, y in train_loader:
            with torch.no_grad():
                teacher_logits = teacher(x)
            loss = distillation_loss(student(x), teacher_logits, y, args.temperature, args.alpha)
            opt_s.zero_grad()
            accelerator.backward(loss)
            opt_s.step()
            total += loss.item()
        acc, nll = evaluate(accelerator, student, val_loader)
        accelerator.print(f"student epoch {epoch}: loss {total / len(train_loader):.4f} "
                          f"val acc {acc:.3f} nll {nll:.3f}")


if __name__ == "__main__":
    main()
