"""Topic classification of short documents: a tiny BERT built from a config, trained by a plain loop."""
from __future__ import annotations

import argparse

import numpy as np
import torch
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup, set_seed
from transformers.utils import logging

logging.set_verbosity_error()
PAD, CLS, FIRST_WORD = 0, 1, 2
WORDS, TOPICS = 90, 4


def write_documents(count: int, rng: np.random.Generator) -> list[tuple[list[int], int]]:
    """Documents of 4 to 40 words: some of their topic, most of them common to all."""
    per_topic = 12
    documents, known = [], set()
    while len(documents) < count:
        topic, length = int(rng.integers(TOPICS)), int(rng.integers(4, 41))
        common = rng.integers(TOPICS * per_topic, WORDS, length)
        special = topic * per_topic + rng.integers(0, per_topic, length)
        words = np.where(rng.random(length) < 0.45, special, common) + FIRST_WORD
        key = tuple(words.tolist())
        if key not in known:
            known.add(key)
            documents.append(([CLS, *key], topic))
    return documents


def collate(samples):
    width = max(len(ids) for ids, _ in samples)
    input_ids = torch.full((len(samples), width), PAD)
    attention_mask = torch.ones_like(input_ids)
    for row, (ids, _) in enumerate(samples):
        input_ids[row, : len(ids)] = torch.tensor(ids)
    labels = torch.tensor([label for _, label in samples])
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    loss = hits = count = 0
    for batch in loader:
        out = model(**batch)
        n = len(batch["labels"])
        loss += out.loss.item() * n
        hits += (out.logits.argmax(-1) == batch["labels"]).sum().item()
        count += n
    return loss / count, hits / count


def main(seed: int) -> None:
    torch.set_num_threads(1)
    set_seed(seed)
    documents = write_documents(2000, np.random.default_rng(seed))
    train = DataLoader(documents[:1600], batch_size=32, shuffle=True, collate_fn=collate)
    held_out = DataLoader(documents[1600:], batch_size=64, collate_fn=collate)

    config = BertConfig(
        vocab_size=WORDS + FIRST_WORD, hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=96, max_position_embeddings=48, num_labels=TOPICS, pad_token_id=PAD,
    )
    model = BertForSequenceClassification(config)
    epochs = 4
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, 20, epochs * len(train))

    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for batch in train:
            optimizer.zero_grad()
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        val_loss, val_acc = evaluate(model, held_out)
        print(f"[{epoch}] train {total / len(train):.4f} | held out {val_loss:.4f} acc {val_acc:.3f}")


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    main(cli.parse_args().seed)
