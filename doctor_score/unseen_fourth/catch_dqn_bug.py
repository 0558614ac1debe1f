"""DQN for the game of Catch: a ball falls through a 7x6 grid, the paddle at the bottom has to be below it."""

import argparse
import random
from collections import deque, namedtuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)

ROWS, COLS = 7, 6
Transition = namedtuple("Transition", "state action reward next_state done")


class Catch:
    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.ball = [0, self.rng.randrange(COLS)]
        self.paddle = self.rng.randrange(COLS)
        return self.observe()

    def observe(self):
        board = np.zeros((ROWS, COLS), dtype=np.float32)
        board[self.ball[0], self.ball[1]] = 1.0
        board[ROWS - 1, self.paddle] = 1.0
        return board.ravel()

    def step(self, action):
        self.paddle = min(max(self.paddle + action - 1, 0), COLS - 1)
        self.ball[0] += 1
        done = self.ball[0] == ROWS - 1
        reward = 0.0
        if done:
            reward = 1.0 if self.ball[1] == self.paddle else -1.0
        return self.observe(), reward, done


class QNetwork(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(ROWS * COLS, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 3)

    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Agent:
    def __init__(self, gamma=0.95, lr=1e-3, batch_size=64, memory=5000):
        self.q = QNetwork()
        self.q_target = QNetwork()
        self.q_target.load_state_dict(self.q.state_dict())
        self.optimizer = torch.optim.Adam(self.q.parameters(), lr=lr)
        self.memory = deque(maxlen=memory)
        self.gamma, self.batch_size = gamma, batch_size

    @torch.no_grad()
    def act(self, state, eps=0.0):
        if random.random() < eps:
            return random.randrange(3)
        return int(self.q(torch.from_numpy(state)).argmax())

    def learn(self):
        if len(self.memory) < 4 * self.batch_size:
            return None
        batch = Transition(*zip(*random.sample(self.memory, self.batch_size)))
        states = torch.from_numpy(np.stack(batch.state))
        next_states = torch.from_numpy(np.stack(batch.next_state))
        actions = torch.tensor(batch.action)
        rewards = torch.tensor(batch.reward)
        dones = torch.tensor(batch.done, dtype=torch.float32)

        q_values = self.q(states).gather(1, actions.unsqueeze(1))
        with torch.no_grad():
            target = rewards + self.gamma * (1 - dones) * self.q_target(next_states).max(dim=1).values
        loss = ((q_values - target) ** 2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def play(agent, seed, games=200):
    env, wins = Catch(random.Random(seed)), 0
    for _ in range(games):
        s, done = env.reset(), False
        while not done:
            s, r, done = env.step(agent.act(s))
        wins += r > 0
    return wins / games


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=500)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    env, agent = Catch(random.Random(args.seed)), Agent()
    losses = []
    for episode in range(1, args.episodes + 1):
        eps = max(0.1, 1.0 - episode / 300)
        state, done = env.reset(), False
        while not done:
            action = agent.act(state, eps)
            next_state, reward, done = env.step(action)
            agent.memory.append(Transition(state, action, reward, next_state, done))
            state = next_state
            loss = agent.learn()
            if loss is not None:
                losses.append(loss)
        if episode % 20 == 0:
            agent.q_target.load_state_dict(agent.q.state_dict())
        if episode % 100 == 0:
            print(f"episode {episode} eps {eps:.2f} loss {np.mean(losses[-200:]):.4f} caught {play(agent, 99):.2f}")


if __name__ == "__main__":
    main()
