"""Teach a very small GPT-2 to expand run-length codes: "b3d2>" becomes "bbbdd"."""
import argparse
import random
import tempfile
import warnings

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

warnings.filterwarnings("ignore")

LETTERS = "abcdefgh"
VOCAB = ["<|endoftext|>", ">"] + list("12345") + list(LETTERS)
STOI = {c: i for i, c in enumerate(VOCAB)}


class CharTokenizer:
    """GPT-2 has no padding token, so its end-of-text token does the padding."""

    eos_token_id = STOI["<|endoftext|>"]
    pad_token_id = eos_token_id

    def encode(self, text):
        return [STOI[c] for c in text]

    def decode(self, ids):
        out = []
        for i in ids:
            if i == self.eos_token_id:
                break
            out.append(VOCAB[i])
        return "".join(out)


tokenizer = CharTokenizer()


def build_examples(seed):
    examples = []
    for a in LETTERS:
        for b in LETTERS:
            if a == b:
                continue
            for n in range(1, 6):
                for m in range(1, 6):
                    examples.append((f"{a}{n}{b}{m}>", a * n + b * m))
    random.Random(seed).shuffle(examples)
    return examples


class RunLengthDataset(Dataset):
    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, i):
        prompt, answer = self.examples[i]
        prompt_ids = tokenizer.encode(prompt)
        ids = prompt_ids + tokenizer.encode(answer) + [tokenizer.eos_token_id]
        return {"input_ids": ids, "prompt_len": len(prompt_ids)}


def collate(features):
    width = max(len(f["input_ids"]) for f in features)
    input_ids = torch.full((len(features), width), tokenizer.pad_token_id)
    attention_mask = torch.zeros_like(input_ids)
    for row, f in enumerate(features):
        n = len(f["input_ids"])
        input_ids[row, :n] = torch.tensor(f["input_ids"])
        attention_mask[row, :n] = 1
    labels = input_ids.clone()
    labels[labels == tokenizer.pad_token_id] = -100
    for row, f in enumerate(features):
        labels[row, : f["prompt_len"]] = -100
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


class ExactMatch(TrainerCallback):
    """Greedy decoding on held-out codes after every epoch."""

    def __init__(self, examples):
        self.examples = examples

    def on_epoch_end(self, args, state, control, model=None, **kwargs):
        was_training = model.training
        model.eval()
        prompts = torch.tensor([tokenizer.encode(p) for p, _ in self.examples])
        ids = prompts
        with torch.no_grad():
            for _ in range(12):
                logits = model(input_ids=ids).logits[:, -1]
                ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], dim=1)
        answers = [tokenizer.decode(row.tolist()) for row in ids[:, prompts.shape[1]:]]
        hits = np.mean([a == want for a, (_, want) in zip(answers, self.examples)])
        print(f"epoch {state.epoch:.0f}: exact match {hits:.3f}   e.g. "
              f"{self.examples[0][0]} {answers[0]}")
        model.train(was_training)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    set_seed(args.seed)
    torch.set_num_threads(1)

    examples = build_examples(args.seed)
    train_set, eval_set = RunLengthDataset(examples[:1200]), RunLengthDataset(examples[1200:])

    model = GPT2LMHeadModel(GPT2Config(
        vocab_size=len(VOCAB), n_positions=32, n_embd=64, n_layer=2, n_head=4,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    ))

    with tempfile.TemporaryDirectory() as out:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=out,
                num_train_epochs=16,
                per_device_train_batch_size=32,
                per_device_eval_batch_size=100,
                learning_rate=3e-3,
                warmup_steps=40,
                lr_scheduler_type="cosine",
                weight_decay=0.01,
                eval_strategy="epoch",
                logging_strategy="epoch",
                save_strategy="no",
                report_to=[],
                use_cpu=True,
                disable_tqdm=True,
                remove_unused_columns=False,
                seed=args.seed,
            ),
            train_dataset=train_set,
            eval_dataset=eval_set,
            data_collator=collate,
            callbacks=[ExactMatch(examples[1200:])],
        )
        trainer.train()
        print(trainer.evaluate())


if __name__ == "__main__":
    main()
