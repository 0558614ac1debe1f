"""REINFORCE on a toy task: keep a sliding block near the origin by pushing left, right or not at all."""
import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical


class BlockEnv:
    """Many copies of the environment at once."""

    def __init__(self, n, rng):
        self.n, self.rng = n, rng

    def reset(self):
        self.x = self.rng.uniform(-1, 1, self.n)
        self.v = self.rng.uniform(-0.3, 0.3, self.n)
        return self.obs()

    def obs(self):
        return torch.tensor(np.stack([self.x, self.v], 1), dtype=torch.float32)

    def step(self, action):
        self.v = np.clip(0.9 * self.v + 0.1 * (action - 1) + self.rng.normal(0, 0.01, self.n), -1, 1)
        self.x = np.clip(self.x + 0.5 * self.v, -2, 2)
        return self.obs(), -np.abs(self.x)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 3))

    def forward(self, s):
        return Categorical(logits=self.body(s))


def returns_to_go(rewards, gamma=0.95):
    out, g = [], torch.zeros_like(rewards[0])
    for r in reversed(rewards):
        g = r + gamma * g
        out.append(g)
    return torch.stack(out[::-1])


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)

env = BlockEnv(32, np.random.default_rng(seed))
policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)

for update in range(1, 121):
    state = env.reset()
    log_probs, rewards = [], []
    for t in range(25):
        dist = policy(state)
        action = dist.sample()
        log_probs.append(dist.log_prob(action))
        state, reward = env.step(action.numpy())
        rewards.append(torch.tensor(reward, dtype=torch.float32))

    returns = returns_to_go(rewards)
    # baseline: the mean return of this time step over the episodes
    advantage = returns - returns.mean(dim=1, keepdim=True)
    advantage = advantage / (advantage.std() + 1e-8)
    loss = -(torch.stack(log_probs) * advantage).mean()

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    if update % 10 == 0:
        print(f"update {update:3d}  mean episode reward {torch.stack(rewards).sum(0).mean().item():.2f}")
