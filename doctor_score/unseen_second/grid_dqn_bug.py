"""DQN on a small windy grid. The agent starts bottom-left and has to reach the top-right corner."""
import argparse
import random
from collections import deque, namedtuple

import numpy as np
import torch
from torch import nn

Transition = namedtuple("Transition", "state action reward next_state done")
SIZE = 5


class WindyGrid:
    MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.pos = [0, 0]
        self.t = 0
        return self._obs()

    def _obs(self):
        o = np.zeros(SIZE * SIZE, dtype=np.float32)
        o[self.pos[0] * SIZE + self.pos[1]] = 1.0
        return o

    def step(self, a):
        dx, dy = self.MOVES[a]
        if self.rng.random() < 0.1:
            dx, dy = self.MOVES[self.rng.randrange(4)]
        self.pos[0] = min(SIZE - 1, max(0, self.pos[0] + dx))
        self.pos[1] = min(SIZE - 1, max(0, self.pos[1] + dy))
        self.t += 1
        if self.pos == [SIZE - 1, SIZE - 1]:
            return self._obs(), 1.0, True, False
        return self._obs(), -0.02, False, self.t >= 60


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(SIZE * SIZE, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, s):
        return self.body(s)


class Agent:
    def __init__(self, rng, lr=1e-3, gamma=0.95, batch_size=64):
        self.rng, self.gamma, self.batch_size = rng, gamma, batch_size
        self.policy, self.target = QNet(), QNet()
        self.target.load_state_dict(self.policy.state_dict())
        self.target.requires_grad_(False)
        self.memory = deque(maxlen=5000)
        self.opt = torch.optim.Adam(self.policy.parameters(), lr=lr)
        self.updates = 0

    @torch.no_grad()
    def act(self, s, eps):
        if self.rng.random() < eps:
            return self.rng.randrange(4)
        return self.policy(torch.from_numpy(s)[None]).argmax(1).item()

    def learn(self):
        if len(self.memory) < 300:
            return None
        batch = Transition(*zip(*self.rng.sample(list(self.memory), self.batch_size)))
        s = torch.from_numpy(np.stack(batch.state))
        s2 = torch.from_numpy(np.stack(batch.next_state))
        a = torch.tensor(batch.action).unsqueeze(1)
        r = torch.tensor(batch.reward, dtype=torch.float32)
        d = torch.tensor(batch.done, dtype=torch.float32)

        q = self.policy(s).gather(1, a)
        with torch.no_grad():
            best_next = self.target(s2).max(1).values
            expected = r + self.gamma * (1 - d) * best_next
        loss = nn.functional.smooth_l1_loss(q, expected)

        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.updates += 1
        if self.updates % 100 == 0:
            self.target.load_state_dict(self.policy.state_dict())
        return loss.item()


def run_greedy(agent, seed, episodes=20):
    env = WindyGrid(random.Random(seed + 1000))
    steps = []
    for _ in range(episodes):
        s, over = env.reset(), False
        while not over:
            s, _, done, cut = env.step(agent.act(s, 0.0))
            over = done or cut
        steps.append(env.t)
    return sum(steps) / len(steps)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    rng = random.Random(seed)
    env, agent = WindyGrid(rng), Agent(rng)
    eps, recent, losses, total = 1.0, deque(maxlen=20), deque(maxlen=200), 0
    episode = 0
    while total < 3000:
        s, over = env.reset(), False
        while not over:
            a = agent.act(s, eps)
            s2, r, done, cut = env.step(a)
            agent.memory.append(Transition(s, a, r, s2, done))
            s, over = s2, done or cut
            total += 1
            loss = agent.learn()
            if loss is not None:
                losses.append(loss)
            eps = max(0.1, 1.0 - total / 2000)
        recent.append(env.t)
        episode += 1
        if episode % 20 == 0 and losses:
            print(
                f"episode {episode:4d} step {total:5d} eps {eps:.2f} "
                f"len {sum(recent) / len(recent):5.1f} loss {sum(losses) / len(losses):.5f}"
            )
    print(f"greedy episode length {run_greedy(agent, seed):.1f}")


if __name__ == "__main__":
    main()
