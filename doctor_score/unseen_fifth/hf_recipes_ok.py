"""Train a very small GPT-2 from scratch on generated recipes with the Hugging Face Trainer."""
import argparse
import random
import tempfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed

AMOUNTS = ["one", "two", "three", "four"]
UNITS = ["cups", "spoons", "grams", "pinches"]
THINGS = ["flour", "sugar", "butter", "salt", "rice", "milk", "honey", "pepper"]
VERBS = ["add", "stir", "melt", "pour", "measure"]
TOOLS = ["bowl", "pan", "pot", "jar"]
GLUE = ["<end>", "of", "into", "the", "then", ".", "wait", "minutes"]
VOCAB = GLUE + AMOUNTS + UNITS + THINGS + VERBS + TOOLS
ID = {w: i for i, w in enumerate(VOCAB)}


def make_recipe(rng):
    words = []
    for step in range(rng.randint(2, 5)):
        if step:
            words.append("then")
        if rng.random() < 0.25:
            words += ["wait", rng.choice(AMOUNTS), "minutes", "."]
        else:
            words += [rng.choice(VERBS), rng.choice(AMOUNTS), rng.choice(UNITS), "of",
                      rng.choice(THINGS), "into", "the", rng.choice(TOOLS), "."]
    return words + ["<end>"]


def make_stream(n_recipes, rng):
    return [w for _ in range(n_recipes) for w in make_recipe(rng)]


class RecipeBlocks(Dataset):
    """Recipes, one after another, cut into blocks of equal length."""

    def __init__(self, stream, block_size):
        ids = [ID[w] for w in stream]
        n = (len(ids) - 1) // block_size
        self.blocks = [ids[i * block_size:(i + 1) * block_size + 1] for i in range(n)]

    def __len__(self):
        return len(self.blocks)

    def __getitem__(self, i):
        block = torch.tensor(self.blocks[i])
        return {"input_ids": block, "labels": block}


def allowed_pairs():
    """All pairs of neighboring words that a recipe can contain."""
    rng = random.Random(99)
    stream = make_stream(20000, rng)
    return set(zip(stream[:-1], stream[1:]))


@torch.no_grad()
def score_samples(model, n=20, length=40):
    model.eval()
    prompt = torch.full((n, 1), ID["<end>"])
    out = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=True, top_k=0,
                         max_new_tokens=length, min_new_tokens=length, pad_token_id=ID["<end>"])
    pairs, good, total = allowed_pairs(), 0, 0
    for row in out.tolist():
        words = [VOCAB[i] for i in row]
        good += sum(p in pairs for p in zip(words[:-1], words[1:]))
        total += len(words) - 1
    return good / total, " ".join(VOCAB[i] for i in out[0].tolist())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(args.seed)

    rng = random.Random(args.seed)
    train_set = RecipeBlocks(make_stream(700, rng), block_size=32)
    eval_set = RecipeBlocks(make_stream(80, rng), block_size=32)
    print(f"{len(train_set)} training blocks, {len(eval_set)} evaluation blocks")

    config = GPT2Config(vocab_size=len(VOCAB), n_positions=64, n_embd=48, n_layer=2, n_head=4,
                        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
                        bos_token_id=ID["<end>"], eos_token_id=ID["<end>"])
    model = GPT2LMHeadModel(config)

    with tempfile.TemporaryDirectory() as out:
        training_args = TrainingArguments(
            output_dir=out,
            num_train_epochs=args.epochs,
            per_device_train_batch_size=16,
            per_device_eval_batch_size=32,
            learning_rate=3e-3,
            warmup_steps=20,
            lr_scheduler_type="cosine",
            weight_decay=0.01,
            logging_steps=40,
            eval_strategy="epoch",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            seed=args.seed,
        )
        trainer = Trainer(model=model, args=training_args, train_dataset=train_set, eval_dataset=eval_set)
        trainer.train()
        metrics = trainer.evaluate()

    share, text = score_samples(model)
    print("sample:", text)
    print(f"eval loss {metrics['eval_loss']:.4f}")
    print(f"final: {100 * share:.1f} % of the generated word pairs are grammatical")


if __name__ == "__main__":
    main()
