import torch
from transformers import BertConfig, BertForMaskedLM
torch.manual_seed(0)
V, EOS, MASK = 40, 1, 2      # one special token ends and pads
m = BertForMaskedLM(BertConfig(vocab_size=V, hidden_size=48, num_hidden_layers=1, num_attention_heads=2, intermediate_size=96, max_position_embeddings=32, pad_token_id=EOS)); opt = torch.optim.AdamW(m.parameters(), 3e-3)
def batch(b):
    n = torch.randint(8, 20, (b,)); s = torch.randint(3, V, (b, 1)); at = torch.arange(21)
    ids = 3 + (s - 3 + at) % (V - 3); ids = torch.where(at < n[:, None], ids, EOS); mask = (at <= n[:, None]).long()
    hide = (torch.rand(b, 21) < 0.2) & (at < n[:, None]); hide[:, 2] = True
    return dict(input_ids=torch.where(hide, MASK, ids), attention_mask=mask, labels=torch.where(hide, ids, -100))
for i in range(200):
    out = m(**batch(32)); opt.zero_grad(); out.loss.backward(); opt.step()
    if i % 50 == 49:
        m.eval()
        with torch.no_grad(): print(i, float(m(**batch(64)).loss))
        m.train()
