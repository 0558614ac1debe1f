"""BiLSTM part-of-speech tagger for variable-length sentences."""
import argparse
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

PAD, UNK = "<pad>", "<unk>"
TAGS = [PAD, "DET", "ADJ", "NOUN", "VERB", "ADV"]
LEXICON = {
    "DET": "the a this that every".split(),
    "ADJ": "red old quick light cold sharp quiet round".split(),
    "NOUN": "light walk cold fish run house watch man river paint stone guard".split(),
    "VERB": "walk fish run watch paint light guard sleeps falls sees".split(),
    "ADV": "quickly often today never here fast".split(),
}


def noun_phrase(rng):
    out = [(rng.choice(LEXICON["DET"]), "DET")]
    while rng.random() < 0.4:
        out.append((rng.choice(LEXICON["ADJ"]), "ADJ"))
    return out + [(rng.choice(LEXICON["NOUN"]), "NOUN")]


def sentence(rng):
    s = noun_phrase(rng) + [(rng.choice(LEXICON["VERB"]), "VERB")]
    if rng.random() < 0.6:
        s += noun_phrase(rng)
    while rng.random() < 0.3:
        s.append((rng.choice(LEXICON["ADV"]), "ADV"))
    if rng.random() < 0.25:
        s += sentence(rng)
    return s


class Tagger(nn.Module):
    def __init__(self, vocab_size, tagset_size, emb=32, hidden=32):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, emb, padding_idx=0)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True, bidirectional=True)
        self.hidden2tag = nn.Linear(2 * hidden, tagset_size)

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.embedding(words), lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=words.size(1))
        return self.hidden2tag(out)


def collate(batch, word_ids, tag_ids):
    words = [torch.tensor([word_ids.get(w, word_ids[UNK]) for w, _ in s]) for s in batch]
    tags = [torch.tensor([tag_ids[t] for _, t in s]) for s in batch]
    lengths = torch.tensor([len(s) for s in batch])
    return (pad_sequence(words, batch_first=True, padding_value=word_ids[PAD]), lengths,
            pad_sequence(tags, batch_first=True, padding_value=tag_ids[PAD]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    sentences = list({tuple(sentence(rng)): None for _ in range(1100)})
    rng.shuffle(sentences)
    dev, train = sentences[:200], sentences[200:]
    word_ids = {PAD: 0, UNK: 1}
    for s in train:
        for w, _ in s:
            word_ids.setdefault(w, len(word_ids))
    tag_ids = {t: i for i, t in enumerate(TAGS)}

    model = Tagger(len(word_ids), len(TAGS))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

    for epoch in range(1, 4):
        model.train()
        rng.shuffle(train)
        loss_sum, n_tokens = 0.0, 0
        for start in range(0, len(train), 32):
            words, lengths, tags = collate(train[start:start + 32], word_ids, tag_ids)
            model.zero_grad()
            scores = model(words, lengths)
            loss = criterion(scores.flatten(0, 1), tags.flatten())
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * lengths.sum().item()
            n_tokens += lengths.sum().item()

        model.eval()
        right = total = 0
        with torch.no_grad():
            for start in range(0, len(dev), 64):
                words, lengths, tags = collate(dev[start:start + 64], word_ids, tag_ids)
                guess = model(words, lengths).argmax(-1)
                real = tags != tag_ids[PAD]
                right += (guess[real] == tags[real]).sum().item()
                total += real.sum().item()
        print(f"epoch {epoch}: loss {loss_sum / n_tokens:.4f}  dev accuracy {right / total:.4f}")


if __name__ == "__main__":
    main()
