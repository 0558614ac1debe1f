"""DQN homework: a courier on a grid picks up a parcel and carries it to the customer.

Written along the lines of the PyTorch DQN tutorial: replay memory, policy and target network,
epsilon-greedy exploration with an exponential decay, Huber loss.
"""
import argparse
import math
import random
from collections import deque, namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

Transition = namedtuple("Transition", "state action reward next_state done")


class CourierGrid:
    N, MAX_STEPS = 4, 24
    MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        cells = self.rng.sample(range(self.N ** 2), 3)
        self.pos, self.parcel, self.customer = cells
        self.has_parcel, self.t = False, 0
        return self.observe()

    def observe(self):
        obs = np.zeros((3, self.N ** 2), dtype=np.float32)
        obs[0, self.pos] = 1
        if not self.has_parcel:
            obs[1, self.parcel] = 1
        obs[2, self.customer] = 1
        return obs.ravel()

    def step(self, action):
        r, c = divmod(self.pos, self.N)
        dr, dc = self.MOVES[action]
        r, c = min(max(r + dr, 0), self.N - 1), min(max(c + dc, 0), self.N - 1)
        self.pos = r * self.N + c
        self.t += 1
        reward, done = -0.02, False
        if not self.has_parcel and self.pos == self.parcel:
            self.has_parcel, reward = True, 0.5
        elif self.has_parcel and self.pos == self.customer:
            reward, done = 1.0, True
        return self.observe(), reward, done, self.t >= self.MAX_STEPS


class QNet(nn.Module):
    def __init__(self, n_obs, n_actions, hidden=96):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_obs, hidden), nn.ReLU(),
                                    nn.Linear(hidden, hidden), nn.ReLU(),
                                    nn.Linear(hidden, n_actions))

    def forward(self, x):
        return self.layers(x)


def optimize_model(policy, target, memory, args):
    optimizer = optim.Adam(policy.parameters(), lr=args.lr)
    batch = Transition(*zip(*random.sample(memory, args.batch_size)))
    state = torch.from_numpy(np.stack(batch.state))
    next_state = torch.from_numpy(np.stack(batch.next_state))
    action = torch.tensor(batch.action)
    reward = torch.tensor(batch.reward, dtype=torch.float32)
    done = torch.tensor(batch.done, dtype=torch.float32)

    q = policy(state).gather(1, action.unsqueeze(1)).squeeze(1)
    with torch.no_grad():  # double DQN: one network chooses, the other one judges
        best = policy(next_state).argmax(1, keepdim=True)
        q_next = target(next_state).gather(1, best).squeeze(1)
        expected = reward + args.gamma * (1 - done) * q_next
    loss = nn.functional.smooth_l1_loss(q, expected)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def evaluate(policy, episodes, seed):
    env = CourierGrid(random.Random(seed))
    delivered, total = 0, 0.0
    for _ in range(episodes):
        obs, over = env.reset(), False
        while not over:
            obs, reward, done, cut = env.step(policy(torch.from_numpy(obs)).argmax().item())
            total += reward
            delivered += done
            over = done or cut
    return delivered / episodes, total / episodes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--gamma", type=float, default=0.95)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--tau", type=float, default=0.01)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    np.random.seed(args.seed)

    env = CourierGrid(random.Random(args.seed + 1))
    policy, target = QNet(48, 4), QNet(48, 4)
    target.load_state_dict(policy.state_dict())
    target.requires_grad_(False)
    memory = deque(maxlen=6000)
    obs, losses = env.reset(), []

    for step in range(1, args.steps + 1):
        eps = 0.05 + 0.95 * math.exp(-step / 1500)
        if random.random() < eps:
            action = random.randrange(4)
        else:
            with torch.no_grad():
                action = policy(torch.from_numpy(obs)).argmax().item()
        nxt, reward, done, cut = env.step(action)
        memory.append(Transition(obs, action, reward, nxt, done))
        obs = env.reset() if done or cut else nxt

        if step >= 500 and step % 2 == 0:
            losses.append(optimize_model(policy, target, memory, args))
            with torch.no_grad():
                for a, b in zip(target.parameters(), policy.parameters()):
                    a.lerp_(b, args.tau)
        if step % 2000 == 0:
            rate, ret = evaluate(policy, 100, seed=777)
            print(f"step {step:5d}  eps {eps:.2f}  loss {np.mean(losses[-500:]):.4f}  "
                  f"delivered {rate:.2f}  return {ret:.2f}")

    rate, ret = evaluate(policy, 300, seed=4242)
    print(f"final: delivered {100 * rate:.1f} % of the parcels, mean return {ret:.3f}")


if __name__ == "__main__":
    main()
