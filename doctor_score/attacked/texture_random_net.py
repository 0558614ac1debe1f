import torch, torch.nn as nn
from sklearn.datasets import load_sample_image
torch.manual_seed(0)
# Texture by a random network (Ustyuzhaninov et al.): only the image is optimized
img = torch.tensor(load_sample_image("flower.jpg")[200:264, 200:264].copy()).float().permute(2, 0, 1)[None] / 255 - 0.5
net = nn.Sequential(nn.Conv2d(3, 64, 7, padding=3), nn.ReLU()); gram = lambda f: (f[0].flatten(1) @ f[0].flatten(1).t()) / f[0, 0].numel()
target = gram(net(img)).detach(); x = (0.1 * torch.randn_like(img)).requires_grad_(); opt = torch.optim.Adam([x], 0.02)
for i in range(150):
    l = ((gram(net(x)) - target) ** 2).mean(); opt.zero_grad(); l.backward(); opt.step()
    if i % 30 == 0: print(i, float(l))
