"""DQN on Catch: a ball falls through a grid, the paddle in the bottom row has to be below it."""
import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(3)
np.random.seed(3)
random.seed(3)

ROWS, COLS = 8, 5
GAMMA = 0.97
BATCH_SIZE = 64
TARGET_UPDATE = 200
EPS_START, EPS_END, EPS_DECAY = 1.0, 0.05, 3000
NUM_EPISODES = 900


class Catch:
    n_actions = 3

    def __init__(self, seed):
        self.random = random.Random(seed)

    def reset(self):
        self.ball = [0, self.random.randrange(COLS)]
        self.paddle = COLS // 2
        return self.observe()

    def observe(self):
        board = np.zeros((ROWS, COLS), dtype=np.float32)
        board[self.ball[0], self.ball[1]] = 1.0
        board[ROWS - 1, self.paddle] = 1.0
        return board.ravel()

    def step(self, action):
        self.paddle = min(max(self.paddle + action - 1, 0), COLS - 1)
        self.ball[0] += 1
        if self.ball[0] < ROWS - 1 and self.random.random() < 0.2:
            self.ball[1] = min(max(self.ball[1] + self.random.choice((-1, 1)), 0), COLS - 1)
        done = self.ball[0] == ROWS - 1
        reward = (1.0 if self.ball[1] == self.paddle else -1.0) if done else 0.0
        return self.observe(), reward, done


class ReplayMemory:
    def __init__(self, capacity):
        self.memory = deque(maxlen=capacity)

    def push(self, *transition):
        self.memory.append(transition)

    def sample(self, n):
        s, a, r, s2, d = zip(*random.sample(self.memory, n))
        return (torch.from_numpy(np.stack(s)), torch.tensor(a), torch.tensor(r, dtype=torch.float32),
                torch.from_numpy(np.stack(s2)), torch.tensor(d, dtype=torch.float32))

    def __len__(self):
        return len(self.memory)


class DQN(nn.Module):
    def __init__(self, n_obs, n_actions):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_obs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, n_actions))

    def forward(self, x):
        return self.layers(x)


env = Catch(seed=0)
policy_net = DQN(ROWS * COLS, env.n_actions)
target_net = DQN(ROWS * COLS, env.n_actions)
target_net.load_state_dict(policy_net.state_dict())
target_net.eval()
optimizer = optim.Adam(policy_net.parameters(), lr=1e-3)
memory = ReplayMemory(10000)
steps_done = 0


@torch.no_grad()
def greedy_action(state):
    return policy_net(torch.from_numpy(state).unsqueeze(0)).argmax(1).item()


def select_action(state, eps):
    if random.random() < eps:
        return random.randrange(env.n_actions)
    return greedy_action(state)


def optimize_model():
    states, actions, rewards, next_states, dones = memory.sample(BATCH_SIZE)
    q_values = policy_net(states).gather(1, actions.unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        next_values = target_net(next_states).max(1).values
        expected = rewards + GAMMA * next_values * (1 - dones)
    td_error = expected - q_values
    loss = td_error.pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(policy_net.parameters(), 10.0)
    optimizer.step()
    return loss.item()


def evaluate(n=200):
    test_env, caught = Catch(seed=1), 0
    for _ in range(n):
        state, done = test_env.reset(), False
        while not done:
            state, reward, done = test_env.step(greedy_action(state))
        caught += reward > 0
    return caught / n


losses = deque(maxlen=500)
for episode in range(1, NUM_EPISODES + 1):
    state, done = env.reset(), False
    while not done:
        eps = EPS_END + (EPS_START - EPS_END) * max(0.0, 1 - steps_done / EPS_DECAY)
        action = select_action(state, eps)
        next_state, reward, done = env.step(action)
        memory.push(state, action, reward, next_state, done)
        state = next_state
        steps_done += 1
        if len(memory) >= 500:
            losses.append(optimize_model())
        if steps_done % TARGET_UPDATE == 0:
            target_net.load_state_dict(policy_net.state_dict())
    if episode % 150 == 0:
        print(f"episode {episode}: steps {steps_done}, loss {np.mean(losses):.4f}, eps {eps:.2f}, caught {evaluate():.2f}")

print(f"caught in 500 greedy episodes: {evaluate(500):.3f}")
