"""Teach a tiny GPT-2 (random weights) a made-up language with the Hugging Face Trainer."""

import argparse
import random
import tempfile

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import (
    DataCollatorForLanguageModeling,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    set_seed,
)

LEXICON = {
    "dog": "wuf", "cat": "miro", "bird": "tiri", "fish": "blo", "child": "pelo", "king": "roa",
    "sees": "vid", "likes": "ama", "feeds": "nur", "finds": "tro",
    "small": "pik", "old": "veto", "red": "rus", "happy": "gai",
}  # fmt: skip
NOUNS, VERBS, ADJECTIVES = (list(LEXICON)[a:b] for a, b in ((0, 6), (6, 10), (10, 14)))


def noun_phrase():
    adjectives = random.sample(ADJECTIVES, random.choice([0, 0, 1, 2]))
    return adjectives + [random.choice(NOUNS)]


def phrase():
    words = noun_phrase() + [random.choice(VERBS)]
    if random.random() < 0.7:
        words += noun_phrase()
    return " ".join(words)


def translate(text):
    return " ".join(LEXICON[w] for w in text.split())


def build_tokenizer():
    words = ["<unk>", "<eos>", "<pad>", "=", *LEXICON, *LEXICON.values()]
    tok = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tok.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tok, unk_token="<unk>", eos_token="<eos>")
    tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


@torch.no_grad()
def exact_match(model, tokenizer, phrases):
    model.eval()
    hits = 0
    for text in phrases:
        prompt = tokenizer(text + " =", return_tensors="pt").input_ids
        out = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=12,
            do_sample=False,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        answer = tokenizer.decode(out[0, prompt.size(1) :], skip_special_tokens=True)
        hits += answer == translate(text)
    return hits / len(phrases)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(args.seed)

    phrases = sorted({phrase() for _ in range(2600)})
    random.shuffle(phrases)
    valid, train = phrases[:200], phrases[200:]
    tokenizer = build_tokenizer()

    def encode(texts):
        return [tokenizer(f"{t} = {translate(t)} {tokenizer.eos_token}") for t in texts]

    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=32,
        n_embd=64,
        n_layer=2,
        n_head=4,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = GPT2LMHeadModel(config)
    with tempfile.TemporaryDirectory() as folder:
        training_args = TrainingArguments(
            output_dir=folder,
            num_train_epochs=7,
            per_device_train_batch_size=32,
            per_device_eval_batch_size=64,
            learning_rate=3e-3,
            warmup_steps=20,
            eval_strategy="epoch",
            logging_strategy="epoch",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            seed=args.seed,
        )
        trainer = Trainer(
            model=model,
            args=training_args,
            train_dataset=encode(train),
            eval_dataset=encode(valid),
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        )
        trainer.train()
    print(f"exact translations: {exact_match(model, tokenizer, valid[:30]):.3f}")


if __name__ == "__main__":
    main()
