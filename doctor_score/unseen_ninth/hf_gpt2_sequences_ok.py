import random
import tempfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed

set_seed(6)
torch.manual_seed(6)

VOCAB, LENGTH = 32, 24
BOS = 0


def make_sequences(n, rng):
    """Arithmetic progressions with a random start and step; sometimes the step changes on the way."""
    seen = set()
    while len(seen) < n:
        value, step = rng.randrange(VOCAB - 1), rng.choice((1, 2, 3, 5, 7))
        seq = [BOS]
        while len(seq) < LENGTH:
            seq.append(1 + value)
            if rng.random() < 0.12:
                step = rng.choice((1, 2, 3, 5, 7))
            value = (value + step) % (VOCAB - 1)
        seen.add(tuple(seq))
    sequences = sorted(seen)
    rng.shuffle(sequences)
    return sequences


class SequenceDataset(Dataset):
    def __init__(self, sequences):
        self.data = torch.tensor(sequences)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        seq = self.data[i]
        return {"input_ids": seq, "labels": seq.clone()}


def continuation_accuracy(model, prompt=8):
    """Share of generated values that continue a clean progression."""
    model.eval()
    starts = [(s, d) for s in range(0, VOCAB - 1, 3) for d in (1, 2, 3, 5, 7)]
    full = torch.tensor([[BOS] + [1 + (s + d * k) % (VOCAB - 1) for k in range(LENGTH - 1)] for s, d in starts])
    ids = full[:, :prompt]
    with torch.no_grad():
        for _ in range(8):
            ids = torch.cat([ids, model(input_ids=ids).logits[:, -1:].argmax(-1)], dim=1)
    return (ids[:, prompt:] == full[:, prompt:prompt + 8]).float().mean().item()


sequences = make_sequences(3000, random.Random(6))
train_dataset, eval_dataset = SequenceDataset(sequences[:2600]), SequenceDataset(sequences[2600:])

config = GPT2Config(vocab_size=VOCAB, n_positions=LENGTH, n_embd=64, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
                    attn_pdrop=0.0, bos_token_id=BOS, eos_token_id=BOS)
model = GPT2LMHeadModel(config)

with tempfile.TemporaryDirectory() as output_dir:
    args = TrainingArguments(
        output_dir=output_dir,
        num_train_epochs=8,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=100,
        learning_rate=3e-3,
        lr_scheduler_type="cosine",
        warmup_steps=40,
        weight_decay=0.01,
        eval_strategy="epoch",
        logging_strategy="epoch",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        seed=6,
    )
    trainer = Trainer(model=model, args=args, train_dataset=train_dataset, eval_dataset=eval_dataset)
    trainer.train()
    metrics = trainer.evaluate()

print(f"eval loss {metrics['eval_loss']:.4f}")
print(f"accuracy of continuations: {continuation_accuracy(model):.3f}")
