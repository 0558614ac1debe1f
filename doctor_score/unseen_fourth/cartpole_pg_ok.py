import argparse
import math
import random

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions import Categorical

parser = argparse.ArgumentParser(description="Policy gradient on the cart and pole")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--gamma", type=float, default=0.99)
parser.add_argument("--episodes", type=int, default=150)
args = parser.parse_args()
torch.set_num_threads(1)
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)


class CartPole:
    """The usual equations; an episode ends when the pole falls, or after 200 steps."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def reset(self):
        self.state = self.rng.uniform(-0.05, 0.05, 4)
        self.t = 0
        return self.state.astype(np.float32)

    def step(self, action):
        x, v, th, w = self.state
        force = 10.0 if action == 1 else -10.0
        c, s = math.cos(th), math.sin(th)
        tmp = (force + 0.05 * w * w * s) / 1.1
        th_acc = (9.8 * s - c * tmp) / (0.5 * (4.0 / 3.0 - 0.1 * c * c / 1.1))
        acc = tmp - 0.05 * th_acc * c / 1.1
        self.state = np.array([x + 0.02 * v, v + 0.02 * acc, th + 0.02 * w, w + 0.02 * th_acc])
        self.t += 1
        fell = abs(self.state[0]) > 2.4 or abs(self.state[2]) > 0.2095
        return self.state.astype(np.float32), 1.0, fell or self.t >= 200


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 64)
        self.affine2 = nn.Linear(64, 2)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        return self.affine2(torch.relu(self.affine1(x)))


policy = Policy()
optimizer = optim.Adam(policy.parameters(), lr=3e-3)
env = CartPole(args.seed)


def select_action(state):
    dist = Categorical(logits=policy(torch.from_numpy(state)))
    action = dist.sample()
    policy.saved_log_probs.append(dist.log_prob(action))
    return action.item()


def finish_episode():
    R, returns = 0.0, []
    for r in reversed(policy.rewards):
        R = r + args.gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    log_probs = torch.stack(policy.saved_log_probs)
    loss = -(log_probs * returns).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    policy.rewards.clear()
    policy.saved_log_probs.clear()
    return loss.item()


@torch.no_grad()
def evaluate(n=10):
    test_env, total = CartPole(1000 + args.seed), 0.0
    for _ in range(n):
        state, done = test_env.reset(), False
        while not done:
            state, reward, done = test_env.step(policy(torch.from_numpy(state)).argmax().item())
            total += reward
    return total / n


history = []
for episode in range(1, args.episodes + 1):
    state, done = env.reset(), False
    while not done:
        state, reward, done = env.step(select_action(state))
        policy.rewards.append(reward)
    history.append(len(policy.rewards))
    loss = finish_episode()
    if episode % 30 == 0:
        print(f"episode {episode}  mean length {np.mean(history[-30:]):.1f}  loss {loss:.2f}  greedy {evaluate():.1f}")
