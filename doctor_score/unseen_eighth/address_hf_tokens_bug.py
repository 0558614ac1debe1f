"""Address parser: token classification with a small DistilBERT, trained from scratch with the Trainer."""
import argparse
import tempfile

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import (
    DistilBertConfig,
    DistilBertForTokenClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.utils import logging as hf_logging

hf_logging.set_verbosity_error()
hf_logging.disable_progress_bar()

LABELS = ["O", "STREET", "NUMBER", "CITY", "PERSON"]
FILLER = "please send the parcel to our friend who lives in at near of house box for".split()
NAMES = ["na%d" % i for i in range(40)]
PLACES = ["pl%d" % i for i in range(40)]  # the same word can be a street or a city
NUMBERS = ["n%d" % i for i in range(30)]
STREET_WORDS = ["street", "road", "lane"]
VOCAB = {w: i for i, w in enumerate(["[PAD]", "[UNK]"] + FILLER + NAMES + PLACES + NUMBERS + STREET_WORDS)}


def sentence(rng):
    words, tags = [], []

    def add(w, t):
        words.append(w)
        tags.append(LABELS.index(t))

    def fill(lo, hi):
        for w in rng.choice(FILLER, rng.integers(lo, hi)):
            add(w, "O")

    fill(0, 4)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        if rng.random() < 0.6:
            add(rng.choice(NAMES), "PERSON")
            fill(0, 3)
        order = rng.random()
        if order < 0.5:
            add(rng.choice(PLACES), "STREET")
            add(rng.choice(STREET_WORDS), "STREET")
            if rng.random() < 0.7:
                add(rng.choice(NUMBERS), "NUMBER")
            add(rng.choice(PLACES), "CITY")
        elif order < 0.8:
            add(rng.choice(PLACES), "CITY")
            add(rng.choice(PLACES), "STREET")
            add(rng.choice(NUMBERS), "NUMBER")
        else:
            add("box", "O")
            add(rng.choice(NUMBERS), "O")
            add(rng.choice(PLACES), "CITY")
        fill(0, 4)
    return words, tags


class AddressDataset(Dataset):
    def __init__(self, n, rng):
        self.rows = [sentence(rng) for _ in range(n)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        words, tags = self.rows[i]
        return {"input_ids": [VOCAB[w] for w in words], "labels": tags}


def collate(features):
    width = max(len(f["input_ids"]) for f in features)
    n = len(features)
    input_ids = torch.full((n, width), VOCAB["[PAD]"], dtype=torch.long)
    attention_mask = torch.zeros(n, width, dtype=torch.long)
    labels = torch.zeros(n, width, dtype=torch.long)
    for i, f in enumerate(features):
        k = len(f["input_ids"])
        input_ids[i, :k] = torch.tensor(f["input_ids"])
        attention_mask[i, :k] = 1
        labels[i, :k] = torch.tensor(f["labels"])
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


def compute_metrics(p):
    pred = np.argmax(p.predictions, axis=-1)
    keep = p.label_ids != -100
    y, g = p.label_ids[keep], pred[keep]
    scores = []
    for c in range(1, len(LABELS)):
        tp = np.sum((y == c) & (g == c))
        scores.append(2 * tp / max(1, np.sum(y == c) + np.sum(g == c)))
    return {"accuracy": float((y == g).mean()), "macro_f1": float(np.mean(scores))}


class Report(TrainerCallback):
    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        keys = ("eval_loss", "eval_accuracy", "eval_macro_f1")
        print(f"epoch {metrics['epoch']:.0f}", {k: round(metrics[k], 4) for k in keys})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    cli = parser.parse_args()
    set_seed(cli.seed)
    rng = np.random.default_rng(cli.seed)
    train_dataset, eval_dataset = AddressDataset(1200, rng), AddressDataset(300, rng)

    config = DistilBertConfig(
        vocab_size=len(VOCAB), max_position_embeddings=64, dim=48, hidden_dim=96, n_layers=2, n_heads=4,
        pad_token_id=VOCAB["[PAD]"], num_labels=len(LABELS), dropout=0.1, attention_dropout=0.1,
        id2label=dict(enumerate(LABELS)), label2id={l: i for i, l in enumerate(LABELS)},
    )
    model = DistilBertForTokenClassification(config)

    with tempfile.TemporaryDirectory() as out:
        args = TrainingArguments(
            output_dir=out, num_train_epochs=8, per_device_train_batch_size=16, per_device_eval_batch_size=50,
            learning_rate=1.5e-3, weight_decay=0.01, warmup_steps=40, lr_scheduler_type="linear",
            eval_strategy="epoch", save_strategy="no", logging_strategy="no", report_to=[], seed=cli.seed,
            use_cpu=True, disable_tqdm=True,
        )
        trainer = Trainer(model=model, args=args, train_dataset=train_dataset, eval_dataset=eval_dataset,
                          data_collator=collate, compute_metrics=compute_metrics, callbacks=[Report()])
        result = trainer.train()
    print("final training loss %.4f" % result.training_loss)


if __name__ == "__main__":
    main()
