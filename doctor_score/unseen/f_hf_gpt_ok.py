"""Character-level GPT-2 (from a config) on generated sentences, with the Hugging Face Trainer."""
import argparse
import random
import tempfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed
from transformers.utils import logging

logging.set_verbosity_error()

ADJECTIVES = "old red quiet small brave lazy green happy cold young".split()
NOUNS = "fox river farmer house child engine garden bird king lamp stone horse".split()
VERBS = "sees finds follows likes paints carries forgets hears".split()
ALPHABET = sorted(set("abcdefghijklmnopqrstuvwxyz ."))
BLOCK = 48


def sentences(count, rng):
    seen = set()
    while len(seen) < count:
        a, b = rng.choice(ADJECTIVES), rng.choice(ADJECTIVES)
        n, m = rng.choice(NOUNS), rng.choice(NOUNS)
        seen.add(f"the {a} {n} {rng.choice(VERBS)} the {b} {m}. ")
    return sorted(seen)


class Blocks(Dataset):
    """Consecutive blocks of one long text."""

    def __init__(self, text):
        ids = torch.tensor([ALPHABET.index(c) for c in text])
        self.blocks = ids[: len(ids) // BLOCK * BLOCK].view(-1, BLOCK)

    def __len__(self):
        return len(self.blocks)

    def __getitem__(self, index):
        block = self.blocks[index]
        return {"input_ids": block, "labels": block.clone()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    set_seed(seed)

    rng = random.Random(seed)
    corpus = sentences(1000, rng)
    rng.shuffle(corpus)
    train_set, eval_set = Blocks("".join(corpus[:850])), Blocks("".join(corpus[850:]))

    config = GPT2Config(
        vocab_size=len(ALPHABET), n_positions=BLOCK, n_embd=48, n_layer=2, n_head=4,
        bos_token_id=None, eos_token_id=None, use_cache=False,
    )
    with tempfile.TemporaryDirectory() as output_dir:
        trainer = Trainer(
            model=GPT2LMHeadModel(config),
            args=TrainingArguments(
                output_dir=output_dir, num_train_epochs=4, learning_rate=6e-3, warmup_steps=20, weight_decay=0.01,
                per_device_train_batch_size=16, per_device_eval_batch_size=32, eval_strategy="epoch",
                save_strategy="no", logging_steps=30, report_to=[], use_cpu=True, seed=seed, disable_tqdm=True,
            ),
            train_dataset=train_set,
            eval_dataset=eval_set,
        )
        trainer.train()
        print("final:", {k: round(v, 4) for k, v in trainer.evaluate().items() if k == "eval_loss"})


if __name__ == "__main__":
    main()
