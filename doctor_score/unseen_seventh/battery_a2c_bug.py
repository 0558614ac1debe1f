"""A2C for a small battery that trades electricity: buy low, sell high.

obs    = (charge, price now, mean-reverting level, hour sin, hour cos)
action = 0 sell one unit, 1 hold, 2 buy one unit
reward = money earned, the rest of the charge is worth nothing after the last hour
"""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

HOURS = 24
CAP = 5


class BatteryEnv:
    """n_envs days side by side"""

    def __init__(self, n_envs, rng):
        self.n, self.rng = n_envs, rng

    def reset(self):
        self.t = 0
        self.charge = self.rng.integers(0, CAP + 1, self.n)
        self.level = self.rng.normal(1.0, 0.35, self.n)
        self.noise = self.rng.normal(0, 0.2, self.n)
        return self._obs()

    def _price(self):
        return self.level + 0.5 * np.sin(2 * np.pi * (self.t - 7) / HOURS) + self.noise

    def _obs(self):
        ang = 2 * np.pi * self.t / HOURS
        one = np.ones(self.n)
        obs = np.stack([self.charge / CAP, self._price(), self.level,
                        np.sin(ang) * one, np.cos(ang) * one], axis=1)
        return torch.as_tensor(obs, dtype=torch.float32)

    def step(self, action):
        action = action.numpy()
        price = self._price()
        sell = (action == 0) & (self.charge > 0)
        buy = (action == 2) & (self.charge < CAP)
        reward = price * sell - price * buy
        self.charge = self.charge + buy.astype(int) - sell.astype(int)
        self.t += 1
        self.noise = 0.6 * self.noise + self.rng.normal(0, 0.2, self.n)
        return self._obs(), torch.as_tensor(reward, dtype=torch.float32), self.t >= HOURS


class ActorCritic(nn.Module):
    def __init__(self, obs_dim=5, n_actions=3, hidden=64):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh(),
                                   nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, n_actions))
        self.critic = nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh(),
                                    nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, obs):
        return Categorical(logits=self.actor(obs)), self.critic(obs)


def collect(env, net):
    obs, done = env.reset(), False
    O, A, R = [], [], []
    while not done:
        with torch.no_grad():
            pi, _ = net(obs)
        a = pi.sample()
        nxt, r, done = env.step(a)
        O.append(obs); A.append(a); R.append(r)
        obs = nxt
    return torch.stack(O), torch.stack(A), torch.stack(R)


def discounted(R, gamma):
    G = torch.zeros_like(R)
    run = torch.zeros(R.shape[1])
    for t in reversed(range(R.shape[0])):
        run = R[t] + gamma * run
        G[t] = run
    return G


@torch.no_grad()
def test_greedy(net, seed, n=500):
    env = BatteryEnv(n, np.random.default_rng(seed))
    obs, done, total = env.reset(), False, torch.zeros(n)
    while not done:
        pi, _ = net(obs)
        obs, r, done = env.step(pi.probs.argmax(-1))
        total += r
    return total.mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--updates", type=int, default=450)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--ent", type=float, default=0.01)
    args = parser.parse_args()
    random.seed(args.seed); np.random.seed(args.seed); torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    env = BatteryEnv(32, np.random.default_rng(args.seed))
    net = ActorCritic()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)

    for update in range(1, args.updates + 1):
        O, A, R = collect(env, net)
        returns = discounted(R, args.gamma).flatten()
        pi, values = net(O.flatten(0, 1))

        advantage = returns - values.detach()
        policy_loss = -(pi.log_prob(A.flatten()) * advantage).mean()
        value_loss = F.mse_loss(values, returns)
        entropy = pi.entropy().mean()
        loss = policy_loss + 0.5 * value_loss - args.ent * entropy

        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()

        if update % 25 == 0:
            print(f"update {update:4d} | return {R.sum(0).mean():6.3f} | greedy {test_greedy(net, 999):6.3f} | "
                  f"v_loss {value_loss.item():7.3f} | entropy {entropy.item():.3f}")


if __name__ == "__main__":
    main()
