"""REINFORCE with a learned baseline on a batched cart-pole."""
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.distributions import Categorical


@dataclass
class Config:
    seed: int = 11
    n_envs: int = 16
    max_steps: int = 200
    updates: int = 120
    gamma: float = 0.99
    lr: float = 3e-3
    hidden: int = 64
    value_coef: float = 0.5
    entropy_coef: float = 0.01


class CartPole:
    """The classic control task, n copies at once."""

    gravity, mass_cart, mass_pole, length, force, tau = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02

    def __init__(self, n):
        self.n = n

    def reset(self):
        self.s = torch.rand(self.n, 4) * 0.1 - 0.05
        return self.s

    def step(self, action):
        x, v, th, w = self.s.unbind(1)
        f = self.force * (2.0 * action.float() - 1.0)
        total = self.mass_cart + self.mass_pole
        pml = self.mass_pole * self.length
        tmp = (f + pml * w ** 2 * th.sin()) / total
        acc_th = (self.gravity * th.sin() - th.cos() * tmp) / (
            self.length * (4.0 / 3.0 - self.mass_pole * th.cos() ** 2 / total))
        acc_x = tmp - pml * acc_th * th.cos() / total
        self.s = torch.stack([x + self.tau * v, v + self.tau * acc_x, th + self.tau * w, w + self.tau * acc_th], 1)
        fell = (self.s[:, 0].abs() > 2.4) | (self.s[:, 2].abs() > 0.2095)
        return self.s, fell


class ActorCritic(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, 2))
        self.critic = nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, obs):
        return self.actor(obs), self.critic(obs).squeeze(-1)


class Agent:
    def __init__(self, cfg):
        self.cfg = cfg
        self.env = CartPole(cfg.n_envs)
        self.net = ActorCritic(cfg.hidden)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=cfg.lr)
        self.scale = torch.tensor([1.0, 1.0, 5.0, 1.0])

    @torch.no_grad()
    def rollout(self):
        obs, acts, alive = [], [], []
        state = self.env.reset()
        running = torch.ones(self.cfg.n_envs, dtype=torch.bool)
        for _ in range(self.cfg.max_steps):
            o = state * self.scale
            logits = self.net.actor(o)
            a = Categorical(logits=logits).sample()
            obs.append(o)
            acts.append(a)
            alive.append(running)
            state, fell = self.env.step(a)
            running = running & ~fell
            if not running.any():
                break
        return torch.stack(obs), torch.stack(acts), torch.stack(alive)

    def returns(self, alive):
        out = torch.zeros(alive.shape)
        acc = torch.zeros(alive.shape[1])
        for t in reversed(range(alive.shape[0])):
            acc = alive[t].float() * (1.0 + self.cfg.gamma * acc)
            out[t] = acc
        return out / 50.0

    def update(self):
        obs, acts, alive = self.rollout()
        ret = self.returns(alive)
        logits, values = self.net(obs[alive])
        ret, acts = ret[alive], acts[alive]
        adv = ret - values.detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-6)
        dist = Categorical(logits=logits)
        policy_loss = -(dist.log_prob(acts) * adv).mean()
        value_loss = (values - ret).pow(2).mean()
        loss = policy_loss + self.cfg.value_coef * value_loss - self.cfg.entropy_coef * dist.entropy().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return alive.sum(0).float().mean().item(), value_loss.item()

    def evaluate(self, n=4):
        return sum(self.rollout()[2].sum(0).float().mean().item() for _ in range(n)) / n


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    agent = Agent(cfg)
    for i in range(1, cfg.updates + 1):
        length, value_loss = agent.update()
        if i % 15 == 0:
            print(f"update {i:4d}  episode length {length:6.1f}  value loss {value_loss:.4f}")
    print(f"mean episode length: {agent.evaluate():.1f} of {cfg.max_steps}")


if __name__ == "__main__":
    main()
