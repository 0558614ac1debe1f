"""Train a tiny GPT-2 from a fresh config on counting sequences of different length, with the HF Trainer."""
import argparse
import random
import tempfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed

# vocabulary: the digits 0-9, then the end-of-text token
EOS_ID = 10
PAD_ID = EOS_ID  # GPT-2 has no pad token of its own


def counting_sequence(rng):
    """The first token says how many numbers follow; they go up by a constant step modulo 10."""
    length, start, step = rng.randint(2, 9), rng.randint(0, 9), rng.randint(1, 3)
    return [length] + [(start + i * step) % 10 for i in range(length)] + [EOS_ID]


class SequenceDataset(Dataset):
    def __init__(self, sequences):
        self.sequences = sequences

    def __len__(self):
        return len(self.sequences)

    def __getitem__(self, i):
        return {"input_ids": self.sequences[i]}


def collate(features):
    longest = max(len(f["input_ids"]) for f in features)
    input_ids = torch.full((len(features), longest), PAD_ID)
    attention_mask = torch.zeros(len(features), longest, dtype=torch.long)
    for row, f in enumerate(features):
        n = len(f["input_ids"])
        input_ids[row, :n] = torch.tensor(f["input_ids"])
        attention_mask[row, :n] = 1
    labels = input_ids.clone()
    labels[labels == PAD_ID] = -100
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    set_seed(args.seed)
    torch.set_num_threads(1)

    rng = random.Random(args.seed)
    kinds = sorted({tuple(counting_sequence(rng)) for _ in range(5000)})
    rng.shuffle(kinds)
    held_out, known = [list(k) for k in kinds[:30]], [list(k) for k in kinds[30:]]
    train_set = SequenceDataset([rng.choice(known) for _ in range(3200)])
    eval_set = SequenceDataset(held_out)

    config = GPT2Config(
        vocab_size=11, n_positions=16, n_embd=48, n_layer=2, n_head=4, bos_token_id=EOS_ID, eos_token_id=EOS_ID,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )
    model = GPT2LMHeadModel(config)

    with tempfile.TemporaryDirectory() as output_dir:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=output_dir,
                num_train_epochs=3,
                per_device_train_batch_size=32,
                per_device_eval_batch_size=30,
                learning_rate=3e-3,
                warmup_steps=20,
                lr_scheduler_type="cosine",
                logging_steps=50,
                eval_strategy="epoch",
                save_strategy="no",
                report_to=[],
                use_cpu=True,
                seed=args.seed,
                disable_tqdm=True,
            ),
            train_dataset=train_set,
            eval_dataset=eval_set,
            data_collator=collate,
        )
        trainer.train()

    model.eval()
    for prompt in ([3, 1, 2], [5, 0, 2]):
        out = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=12, do_sample=False, pad_token_id=PAD_ID,
        )
        print(prompt, "->", out[0].tolist())


if __name__ == "__main__":
    main()
