# Tiny causal LM that spells out an order: dishes -> ingredients, then stops.
import argparse
import random
import tempfile

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments, set_seed

MENU = {
    "soup": ["water", "carrot", "leek", "salt"],
    "toast": ["bread", "butter"],
    "salad": ["lettuce", "tomato", "onion", "oil", "salt"],
    "omelette": ["egg", "milk", "butter", "salt", "chives"],
    "pasta": ["flour", "egg", "tomato", "basil"],
    "tea": ["water", "mint"],
    "curry": ["rice", "onion", "coconut", "lentil", "chili", "salt"],
    "cake": ["flour", "egg", "sugar", "butter"],
}
words = ["<eos>", "<bos>", "=>"] + list(MENU) + sorted({i for v in MENU.values() for i in v})
stoi = {w: i for i, w in enumerate(words)}
EOS, BOS = stoi["<eos>"], stoi["<bos>"]
PAD = EOS  # no separate pad token


def encode_order(dishes):
    prompt = ["<bos>"] + list(dishes) + ["=>"]
    answer = [i for d in dishes for i in MENU[d]]
    return [stoi[w] for w in prompt], [stoi[w] for w in answer] + [EOS]


class OrderDataset(torch.utils.data.Dataset):
    def __init__(self, orders):
        self.rows = []
        for o in orders:
            p, a = encode_order(o)
            self.rows.append({"input_ids": p + a})

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, idx):
        return self.rows[idx]


def data_collator(features):
    longest = max(len(f["input_ids"]) for f in features)
    input_ids = torch.full((len(features), longest), PAD)
    attention_mask = torch.zeros(len(features), longest, dtype=torch.long)
    for i, f in enumerate(features):
        n = len(f["input_ids"])
        input_ids[i, :n] = torch.tensor(f["input_ids"])
        attention_mask[i, :n] = 1
    labels = input_ids.clone()
    labels[labels == PAD] = -100
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


class PrintCallback(TrainerCallback):
    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        print(f"epoch {state.epoch:.0f}  step {state.global_step}  eval_loss {metrics['eval_loss']:.4f}")


@torch.no_grad()
def complete(model, dishes, max_new_tokens=24):
    prompt, _ = encode_order(dishes)
    ids = list(prompt)
    model.eval()
    for _ in range(max_new_tokens):
        nxt = model(input_ids=torch.tensor([ids])).logits[0, -1].argmax().item()
        ids.append(nxt)
        if nxt == EOS:
            break
    return ids[len(prompt):]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    cli = parser.parse_args()
    set_seed(cli.seed)
    random.seed(cli.seed)
    np.random.seed(cli.seed)

    # all orders with one to three different dishes
    dishes = list(MENU)
    orders = {tuple(random.sample(dishes, k)) for k in (1, 2, 3, 3) for _ in range(400)}
    orders = sorted(orders)
    random.shuffle(orders)
    eval_orders, train_orders = orders[:60], orders[60:]
    print(len(train_orders), "train orders,", len(eval_orders), "eval orders")

    config = LlamaConfig(
        vocab_size=len(words), hidden_size=64, intermediate_size=128,
        num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64,
        bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD,
    )
    model = LlamaForCausalLM(config)

    with tempfile.TemporaryDirectory() as tmp:
        training_args = TrainingArguments(
            output_dir=tmp,
            num_train_epochs=25,
            per_device_train_batch_size=16,
            per_device_eval_batch_size=32,
            learning_rate=3e-3,
            warmup_steps=20,
            lr_scheduler_type="cosine",
            eval_strategy="epoch",
            save_strategy="no",
            logging_strategy="epoch",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            seed=cli.seed,
        )
        trainer = Trainer(
            model=model,
            args=training_args,
            train_dataset=OrderDataset(train_orders),
            eval_dataset=OrderDataset(eval_orders),
            data_collator=data_collator,
            callbacks=[PrintCallback()],
        )
        trainer.train()

    exact = stopped = 0
    for o in eval_orders:
        out = complete(model, o)
        exact += out == encode_order(o)[1]
        stopped += out[-1] == EOS
    print(f"exact match {exact / len(eval_orders):.3f}  stopped {stopped / len(eval_orders):.3f}")
    print(" ".join(eval_orders[0]), "=>", " ".join(words[t] for t in complete(model, eval_orders[0])))


if __name__ == "__main__":
    main()
