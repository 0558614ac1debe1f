"""nn.Transformer learns to map a digit string to 'each digit plus one,
mod 10, in order'. Variable lengths: padding masks in encoder and decoder, ignore_index in the loss."""
import argparse
import torch
import torch.nn as nn

PAD, BOS, EOS, OFFSET, BASE = 0, 1, 2, 3, 10
VOCAB = OFFSET + BASE


def make_batch(n, gen, max_len=9):
    lengths = torch.randint(6, max_len + 1, (n,), generator=gen)
    src = torch.full((n, max_len), PAD)
    tgt = torch.full((n, max_len + 2), PAD)
    tgt[:, 0] = BOS
    for i, l in enumerate(lengths.tolist()):
        d = torch.randint(BASE, (l,), generator=gen)
        src[i, :l] = d + OFFSET
        tgt[i, 1:l + 1] = (d + 1) % BASE + OFFSET
        tgt[i, l + 1] = EOS
    return src, tgt


class Seq2Seq(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, d, padding_idx=PAD)
        self.pos = nn.Parameter(0.1 * torch.randn(16, d))
        self.core = nn.Transformer(d, 4, 1, 1, 64, dropout=0.0, batch_first=True)
        self.out = nn.Linear(d, VOCAB)

    def forward(self, src, tgt):
        causal = torch.triu(torch.ones(tgt.size(1), tgt.size(1), dtype=torch.bool), 1)
        h = self.core(self.emb(src) + self.pos[:src.size(1)], self.emb(tgt) + self.pos[:tgt.size(1)],
                      tgt_mask=causal, src_key_padding_mask=src == PAD, tgt_key_padding_mask=tgt == PAD,
                      memory_key_padding_mask=src == PAD)
        return self.out(h)

    @torch.no_grad()
    def greedy(self, src, steps):
        ys = torch.full((src.size(0), 1), BOS)
        for _ in range(steps):
            ys = torch.cat([ys, self(src, ys)[:, -1].argmax(-1, keepdim=True)], 1)
        return ys


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    g_train = torch.Generator().manual_seed(2 * a.seed + 1)
    src_v, tgt_v = make_batch(300, torch.Generator().manual_seed(2 * a.seed + 2))
    model = Seq2Seq()
    loss_fn = nn.CrossEntropyLoss(ignore_index=PAD)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(1, 301):
        src, tgt = make_batch(48, g_train)
        logits = model(src, tgt[:, :-1])
        loss = loss_fn(logits.reshape(-1, VOCAB), tgt[:, 1:].reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if step % 60 == 0:
            model.eval()
            with torch.no_grad():
                v = loss_fn(model(src_v, tgt_v[:, :-1]).reshape(-1, VOCAB), tgt_v[:, 1:].reshape(-1)).item()
            model.train()
            print(f"step {step} train {loss.item():.4f} val {v:.4f}")
    model.eval()
    hyp, keep = model.greedy(src_v, tgt_v.size(1) - 1), tgt_v != PAD
    print(f"greedy token accuracy {(hyp == tgt_v)[:, 1:][keep[:, 1:]].float().mean().item():.4f}")


if __name__ == "__main__":
    main()
