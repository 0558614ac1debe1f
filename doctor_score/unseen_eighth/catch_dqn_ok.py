import argparse
import random
from collections import deque, namedtuple

import numpy as np
import torch
from torch import nn, optim

Transition = namedtuple("Transition", "state action reward next_state done")


class Catch:
    """An apple falls, the basket at the bottom moves left / stays / moves right. Some apples drift with the wind."""

    H, W = 9, 7
    n_actions = 3

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.row, self.col = 0, int(self.rng.integers(self.W))
        self.drift = int(self.rng.integers(-1, 2))
        self.basket = int(self.rng.integers(self.W))
        return self._obs()

    def _obs(self):
        grid = np.zeros((2, self.H, self.W), dtype=np.float32)
        grid[0, self.row, self.col] = 1.0
        grid[1, self.H - 1, self.basket] = 1.0
        return np.append(grid.ravel(), np.float32(self.drift))

    def step(self, a):
        self.basket = int(np.clip(self.basket + a - 1, 0, self.W - 1))
        self.row += 1
        if self.row % 3 == 0:
            self.col = (self.col + self.drift) % self.W
        done = self.row == self.H - 1
        reward = 0.0
        if done:
            reward = 1.0 if self.col == self.basket else -1.0
        return self._obs(), reward, done


class QNet(nn.Module):
    def __init__(self, n_in, n_out, hidden=96):
        super().__init__()
        self.fc1 = nn.Linear(n_in, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, n_out)

    def forward(self, s):
        h = torch.relu(self.fc1(s))
        return self.out(torch.relu(self.fc2(h)))


class DQNAgent:
    def __init__(self, n_in, n_actions, rng):
        self.rng = rng
        self.n_actions = n_actions
        self.memory = deque(maxlen=8000)
        self.gamma = 0.95
        self.epsilon, self.epsilon_min, self.epsilon_decay = 1.0, 0.05, 0.995
        self.learning_rate = 5e-4
        self.q_net = QNet(n_in, n_actions)
        self.target_net = QNet(n_in, n_actions)
        self.update_target()
        self.optimizer = optim.Adam(self.q_net.parameters(), lr=self.learning_rate)
        self.criterion = nn.SmoothL1Loss()

    def update_target(self):
        self.target_net.load_state_dict(self.q_net.state_dict())

    def remember(self, *args):
        self.memory.append(Transition(*args))

    def act(self, state, greedy=False):
        if not greedy and self.rng.random() < self.epsilon:
            return int(self.rng.integers(self.n_actions))
        with torch.no_grad():
            return int(self.q_net(torch.from_numpy(state)).argmax())

    def replay(self, batch_size):
        batch = Transition(*zip(*random.sample(self.memory, batch_size)))
        states = torch.from_numpy(np.stack(batch.state))
        actions = torch.tensor(batch.action)
        rewards = torch.tensor(batch.reward, dtype=torch.float32)
        next_states = torch.from_numpy(np.stack(batch.next_state))
        not_done = 1.0 - torch.tensor(batch.done, dtype=torch.float32)

        q = self.q_net(states).gather(1, actions.unsqueeze(1)).squeeze(1)
        with torch.no_grad():
            target = rewards + self.gamma * not_done * self.target_net(next_states).max(1).values

        loss = self.criterion(q, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def play(agent, env, episodes):
    wins = 0
    for _ in range(episodes):
        s, done = env.reset(), False
        while not done:
            s, r, done = env.step(agent.act(s, greedy=True))
        wins += r > 0
    return wins / episodes


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=900)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)

    env = Catch(np.random.default_rng(args.seed))
    eval_env = Catch(np.random.default_rng(args.seed + 1000))
    agent = DQNAgent(2 * Catch.H * Catch.W + 1, Catch.n_actions, np.random.default_rng(args.seed + 1))

    losses, steps = [], 0
    for e in range(1, args.episodes + 1):
        state, done = env.reset(), False
        while not done:
            action = agent.act(state)
            next_state, reward, done = env.step(action)
            agent.remember(state, action, reward, next_state, done)
            state = next_state
            steps += 1
            if len(agent.memory) >= 500:
                losses.append(agent.replay(32))
                if steps % 200 == 0:
                    agent.update_target()
        agent.epsilon = max(agent.epsilon_min, agent.epsilon * agent.epsilon_decay)
        if e % 100 == 0:
            print("episode: %4d  eps: %.2f  loss: %.5f  caught: %.2f"
                  % (e, agent.epsilon, np.mean(losses[-500:]), play(agent, eval_env, 200)))
