import torch
from transformers import GPT2Config, GPT2ForTokenClassification
torch.manual_seed(0)
# Each token is even or odd; sentences end with eos, which pads, too; labels are kinds, not tokens
cfg = GPT2Config(vocab_size=50, n_positions=32, n_embd=32, n_layer=1, n_head=2, num_labels=3, bos_token_id=49, eos_token_id=49, resid_pdrop=0.0)
m = GPT2ForTokenClassification(cfg); m.config.pad_token_id = 49; opt = torch.optim.AdamW(m.parameters(), 3e-3)
def batch(b):
    n = torch.randint(6, 20, (b,)); ids = torch.randint(0, 48, (b, 20)); at = torch.arange(20)
    mask = (at < n[:, None]).long(); ids = torch.where(at < n[:, None] - 1, ids, 49); lab = torch.where(at < n[:, None] - 1, ids % 3, -100)
    return dict(input_ids=ids, attention_mask=mask, labels=lab)
for i in range(150):
    m.train(); out = m(**batch(16)); opt.zero_grad(); out.loss.backward(); opt.step()
    if i % 50 == 49:
        m.eval()
        with torch.no_grad(): b = batch(64); p = m(input_ids=b["input_ids"], attention_mask=b["attention_mask"]).logits.argmax(-1); k = b["labels"] >= 0; print(i, float((p[k] == b["labels"][k]).float().mean()))
