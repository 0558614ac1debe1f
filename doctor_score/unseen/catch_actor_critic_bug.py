"""Actor-critic on a hand-written game of Catch: move the paddle under the falling ball."""
import argparse
import random
from collections import namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical

parser = argparse.ArgumentParser(description='PyTorch actor-critic example')
parser.add_argument('--gamma', type=float, default=0.95)
parser.add_argument('--seed', type=int, default=0)
parser.add_argument('--updates', type=int, default=100)
parser.add_argument('--episodes-per-update', type=int, default=16)
args = parser.parse_args()

torch.set_num_threads(1)
torch.manual_seed(args.seed)
random.seed(args.seed)
np.random.seed(args.seed)

SavedAction = namedtuple('SavedAction', ['log_prob', 'value', 'entropy'])


class Catch:
    WIDTH, HEIGHT = 5, 5

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.ball_x = self.rng.randrange(self.WIDTH)
        self.ball_y = 0
        self.paddle = self.rng.randrange(self.WIDTH)
        return self._observe()

    def _observe(self):
        half = (self.WIDTH - 1) / 2
        return np.array([self.ball_x / half - 1, 2 * self.ball_y / (self.HEIGHT - 1) - 1, self.paddle / half - 1],
                        dtype=np.float32)

    def step(self, action):
        self.paddle = min(self.WIDTH - 1, max(0, self.paddle + action - 1))
        self.ball_y += 1
        done = self.ball_y == self.HEIGHT - 1
        reward = 0.0
        if done:
            reward = 1.0 if self.paddle == self.ball_x else -1.0
        return self._observe(), reward, done


def mlp(outputs):
    return nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, outputs))


actor = mlp(3)
critic = mlp(1)
optimizer = optim.Adam(actor.parameters(), lr=1e-2)


def run_episode(env):
    saved, rewards = [], []
    state, done = env.reset(), False
    while not done:
        state = torch.from_numpy(state)
        dist = Categorical(logits=actor(state))
        action = dist.sample()
        saved.append(SavedAction(dist.log_prob(action), critic(state).squeeze(-1), dist.entropy()))
        state, reward, done = env.step(action.item())
        rewards.append(reward)
    returns, R = [], 0.0
    for r in reversed(rewards):
        R = r + args.gamma * R
        returns.insert(0, R)
    return saved, returns, sum(rewards)


def update(saved, returns):
    log_probs = torch.stack([s.log_prob for s in saved])
    values = torch.stack([s.value for s in saved])
    entropy = torch.stack([s.entropy for s in saved]).mean()
    returns = torch.tensor(returns)
    advantage = returns - values.detach()
    policy_loss = -(log_probs * advantage).mean()
    value_loss = F.mse_loss(values, returns)
    loss = policy_loss + 0.5 * value_loss - 0.01 * entropy
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return policy_loss.item(), value_loss.item()


def evaluate(episodes=100):
    env = Catch(random.Random(12345))
    caught = 0
    with torch.no_grad():
        for _ in range(episodes):
            state, done = env.reset(), False
            while not done:
                state, reward, done = env.step(actor(torch.from_numpy(state)).argmax().item())
            caught += reward > 0
    return caught / episodes


def main():
    env = Catch(random.Random(args.seed))
    running = -1.0
    for i in range(1, args.updates + 1):
        saved, returns = [], []
        for _ in range(args.episodes_per_update):
            s, ret, total = run_episode(env)
            saved += s
            returns += ret
            running = 0.98 * running + 0.02 * total
        p_loss, v_loss = update(saved, returns)
        if i % 20 == 0:
            print('Update {}\tRunning reward: {:.2f}\tpolicy loss {:.3f}\tvalue loss {:.3f}'.format(
                i, running, p_loss, v_loss))
    print('Greedy policy catches {:.0%} of the balls'.format(evaluate()))


if __name__ == '__main__':
    main()
