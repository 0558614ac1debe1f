import torch, torch.nn as nn, torch.nn.functional as F, tempfile, os
torch.manual_seed(0)
class LoRALinear(nn.Module):
    def __init__(s, base, r=4):
        super().__init__(); s.base = base; s.lora_A = nn.Parameter(torch.randn(r, base.in_features) * 0.05); s.lora_B = nn.Parameter(torch.zeros(base.out_features, r))
    def forward(s, x): return s.base(x) + x @ s.lora_A.t() @ s.lora_B.t()
def make():
    torch.manual_seed(1); layers = []
    for i in range(16): layers += [LoRALinear(nn.Linear(16, 16)), nn.LayerNorm(16), nn.GELU()]
    m = nn.Sequential(*layers, nn.Linear(16, 3))
    return m
X = torch.randn(512, 16); y = (X[:, :3]).argmax(1)
base = make(); opt = torch.optim.Adam(base.parameters(), 1e-3)
for i in range(60): opt.zero_grad(); F.cross_entropy(base(X), y).backward(); opt.step()
d = tempfile.mkdtemp(); torch.save(base.state_dict(), d + "/base.pt")
m = make(); m.load_state_dict(torch.load(d + "/base.pt"))
for n, p in m.named_parameters(): p.requires_grad = "lora_" in n
y2 = (X[:, :3]).argmin(1)
opt = torch.optim.Adam([p for p in m.parameters() if p.requires_grad], 5e-3)
for i in range(100): opt.zero_grad(); l = F.cross_entropy(m(X), y2); l.backward(); opt.step()
torch.save({k: v for k, v in m.state_dict().items() if "lora_" in k}, d + "/lora.pt")
m2 = make(); m2.load_state_dict(torch.load(d + "/base.pt")); m2.load_state_dict(torch.load(d + "/lora.pt"), strict=False)
with torch.no_grad(): print(float(l), float(F.cross_entropy(m2(X), y2)))
