import argparse
import math
import torch
import torch.nn as nn

# ----- options -------------------------------------------------------------
opt = argparse.ArgumentParser()
opt.add_argument("--seed", type=int, default=0)
opt.add_argument("--n_iter", type=int, default=2500)
opt.add_argument("--batch_size", type=int, default=128)
opt.add_argument("--lr", type=float, default=5e-4)
opt.add_argument("--b1", type=float, default=0.5)
opt.add_argument("--b2", type=float, default=0.999)
opt.add_argument("--latent_dim", type=int, default=8)
opt = opt.parse_args()

torch.manual_seed(opt.seed)

# ----- data: a bent ring (hand movements of the calibration pattern) ----------
def sample_real(n, generator=None):
    a = 2 * math.pi * torch.rand(n, generator=generator)
    r = 1.2 + 0.3 * torch.cos(3 * a)
    pts = torch.stack([r * a.cos(), r * a.sin()], 1)
    return pts + 0.08 * torch.randn(n, 2, generator=generator)


# ----- networks --------------------------------------------------------------
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(opt.latent_dim, 96), nn.ReLU(),
            nn.Linear(96, 96), nn.ReLU(),
            nn.Linear(96, 2),
        )

    def forward(self, z):
        return self.model(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(2, 96), nn.LeakyReLU(0.2),
            nn.Linear(96, 96), nn.LeakyReLU(0.2),
            nn.Linear(96, 1),
        )

    def forward(self, x):
        return self.model(x)


generator = Generator()
discriminator = Discriminator()
adversarial_loss = nn.BCEWithLogitsLoss()

optimizer_G = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))

eval_rng = torch.Generator().manual_seed(1234)
fixed_z = torch.randn(1000, opt.latent_dim, generator=eval_rng)
held_out = sample_real(1000, eval_rng)


@torch.no_grad()
def report(step, d_loss, g_loss):
    generator.eval()
    pts = generator(fixed_z)
    generator.train()
    d = torch.cdist(pts, held_out)
    near = (d.min(1).values < 0.1).float().mean()
    covered = (d.min(0).values < 0.1).float().mean()
    w = torch.linspace(0, math.pi, 33)[:-1]
    proj = torch.stack([w.cos(), w.sin()])
    sw = ((pts @ proj).sort(0).values - (held_out @ proj).sort(0).values).abs().mean()
    print(f"[{step:5d}] D {d_loss:.3f}  G {g_loss:.3f}  precision {near:.3f}  coverage {covered:.3f}  sliced-W {sw:.3f}")


# ----- training ----------------------------------------------------------------
for it in range(1, opt.n_iter + 1):
    real = sample_real(opt.batch_size)
    valid = torch.ones(opt.batch_size, 1)
    fake = torch.zeros(opt.batch_size, 1)

    #  Train Discriminator
    optimizer_G.zero_grad()
    z = torch.randn(opt.batch_size, opt.latent_dim)
    gen = generator(z)
    real_loss = adversarial_loss(discriminator(real), valid)
    fake_loss = adversarial_loss(discriminator(gen.detach()), fake)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()

    #  Train Generator
    optimizer_G.zero_grad()
    g_loss = adversarial_loss(discriminator(gen), valid)
    g_loss.backward()
    optimizer_G.step()

    if it % 250 == 0 or it == 1:
        report(it, d_loss.item(), g_loss.item())
