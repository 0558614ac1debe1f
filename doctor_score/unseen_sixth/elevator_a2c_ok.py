"""Advantage actor-critic on a tiny elevator.

There are N_FLOORS floors, people press buttons at random. The agent may go up, go down
or open the doors; serving a floor with a pressed button is worth +1, every step costs a
little for each person that waits.
"""
import argparse
import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

N_FLOORS = 7
UP, DOWN, OPEN = 0, 1, 2


class Elevator:
    def __init__(self, rng, horizon=60):
        self.rng = rng
        self.horizon = horizon

    def reset(self):
        self.floor = self.rng.randint(N_FLOORS)
        self.waiting = np.zeros(N_FLOORS, dtype=np.float32)
        self.waiting[self.rng.randint(N_FLOORS)] = 1
        self.t = 0
        return self.observe()

    def observe(self):
        here = np.zeros(N_FLOORS, dtype=np.float32)
        here[self.floor] = 1
        left = np.array([1 - self.t / self.horizon], dtype=np.float32)
        return np.concatenate([here, self.waiting, left])

    def step(self, action):
        reward = -0.02 * self.waiting.sum()
        if action == UP:
            self.floor = min(self.floor + 1, N_FLOORS - 1)
        elif action == DOWN:
            self.floor = max(self.floor - 1, 0)
        elif self.waiting[self.floor] > 0:
            reward += 1.0
            self.waiting[self.floor] = 0
        if self.rng.rand() < 0.15:
            self.waiting[self.rng.choice([0, N_FLOORS - 1, self.rng.randint(N_FLOORS)])] = 1
        self.t += 1
        return self.observe(), reward, self.t >= self.horizon


class Actor(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(2 * N_FLOORS + 1, hidden)
        self.fc2 = nn.Linear(hidden, 3)

    def forward(self, s):
        return Categorical(logits=self.fc2(torch.tanh(self.fc1(s))))


class Critic(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(2 * N_FLOORS + 1, hidden)
        self.fc2 = nn.Linear(hidden, 1)

    def forward(self, s):
        return self.fc2(torch.tanh(self.fc1(s))).squeeze(-1)


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    envs = [Elevator(np.random.RandomState(seed * 100 + i)) for i in range(16)]
    actor, critic = Actor(), Critic()
    optimizer = torch.optim.Adam(list(actor.parameters()) + list(critic.parameters()), lr=3e-3)

    gamma, rollout, ent_coef, vf_coef = 0.97, 5, 0.01, 0.5
    obs = np.stack([e.reset() for e in envs])
    ep_return = np.zeros(len(envs))
    recent = deque(maxlen=64)

    for update in range(1, 1801):
        log_probs, values, rewards, dones, entropies = [], [], [], [], []
        for _ in range(rollout):
            s = torch.from_numpy(obs)
            dist = actor(s)
            a = dist.sample()
            log_probs.append(dist.log_prob(a))
            entropies.append(dist.entropy())
            values.append(critic(s))
            nxt, r, d = [], [], []
            for i, env in enumerate(envs):
                o, rew, done = env.step(a[i].item())
                ep_return[i] += rew
                if done:
                    recent.append(ep_return[i])
                    ep_return[i] = 0.0
                    o = env.reset()
                nxt.append(o)
                r.append(rew)
                d.append(float(done))
            obs = np.stack(nxt)
            rewards.append(torch.tensor(r, dtype=torch.float32))
            dones.append(torch.tensor(d))

        with torch.no_grad():
            ret = critic(torch.from_numpy(obs))
        returns = []
        for r, d in zip(reversed(rewards), reversed(dones)):
            ret = r + gamma * ret * (1 - d)
            returns.insert(0, ret)
        returns = torch.stack(returns)
        values = torch.stack(values)
        advantage = (returns - values).detach()

        policy_loss = -(torch.stack(log_probs) * advantage).mean()
        value_loss = F.mse_loss(values, returns)
        entropy = torch.stack(entropies).mean()
        loss = policy_loss + vf_coef * value_loss - ent_coef * entropy

        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
        optimizer.step()

        if update % 100 == 0:
            print(f"update {update:4d}  return {np.mean(recent):6.2f}  "
                  f"value loss {value_loss.item():.3f}  entropy {entropy.item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
