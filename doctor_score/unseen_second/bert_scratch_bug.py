import argparse
import random

import numpy as np
import torch
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
torch.set_num_threads(1)

PAD, CLS, SEP, FIRST_WORD, VOCAB = 0, 1, 2, 3, 60
TOPIC_WORDS = {0: range(3, 11), 1: range(11, 19), 2: range(19, 27)}
COMMON = range(27, VOCAB)


def make_example():
    label = random.randrange(3)
    n = random.randint(8, 20)
    words = [random.choice(TOPIC_WORDS[label]) if random.random() < 0.2 else random.choice(COMMON) for _ in range(n)]
    if random.random() < 0.3:
        words[random.randrange(n)] = random.choice(TOPIC_WORDS[(label + 1) % 3])
    return {"ids": [CLS] + words + [SEP], "label": label}


def collate(batch):
    width = max(len(b["ids"]) for b in batch)
    ids = torch.tensor([b["ids"] + [PAD] * (width - len(b["ids"])) for b in batch])
    return {
        "input_ids": ids,
        "attention_mask": (ids != PAD).long(),
        "labels": torch.tensor([b["label"] for b in batch]),
    }


train_data = [make_example() for _ in range(1600)]
val_data = [make_example() for _ in range(400)]
train_dataloader = DataLoader(train_data, shuffle=True, batch_size=32, collate_fn=collate)
validation_dataloader = DataLoader(val_data, batch_size=64, collate_fn=collate)

config = BertConfig(
    vocab_size=VOCAB, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
    max_position_embeddings=32, num_labels=3, pad_token_id=PAD,
)
model = BertForSequenceClassification(config)

epochs = 4
total_steps = len(train_dataloader) * epochs
optimizer = torch.optim.SGD(model.parameters(), lr=5e-5, weight_decay=0.01)
scheduler = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=total_steps // 10, num_training_steps=total_steps)

for epoch_i in range(epochs):
    print(f"======== Epoch {epoch_i + 1} / {epochs} ========")
    total_train_loss = 0
    model.train()
    for step, batch in enumerate(train_dataloader):
        model.zero_grad()
        outputs = model(**batch)
        outputs.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        total_train_loss += outputs.loss.item() * len(batch["labels"])
    print(f"  Average training loss: {total_train_loss / len(train_data):.3f}")

    model.eval()
    hits, val_loss = 0, 0.0
    with torch.no_grad():
        for batch in validation_dataloader:
            outputs = model(**batch)
            val_loss += outputs.loss.item() * len(batch["labels"])
            hits += (outputs.logits.argmax(-1) == batch["labels"]).sum().item()
    print(f"  Validation loss: {val_loss / len(val_data):.3f}  accuracy: {hits / len(val_data):.3f}")
