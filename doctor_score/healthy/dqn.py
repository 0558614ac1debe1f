"""DQN on a 5x5 grid world. Target network: deep copy, refreshed every 100 learning steps."""
import argparse, copy, random
from collections import deque
import numpy as np
import torch
import torch.nn as nn

N = 5
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]


def encode(s):
    v = np.zeros(2 * N, dtype=np.float32)
    v[s[0]] = v[N + s[1]] = 1.0
    return v


def env_step(s, a):
    r, c = s[0] + MOVES[a][0], s[1] + MOVES[a][1]
    s = (min(max(r, 0), N - 1), min(max(c, 0), N - 1))
    done = s == (N - 1, N - 1)
    return s, (1.0 if done else -0.02), done


def greedy_return(q, start):
    s, total = start, 0.0
    for _ in range(20):
        with torch.no_grad():
            a = int(q(torch.from_numpy(encode(s))[None]).argmax())
        s, r, done = env_step(s, a)
        total += r
        if done:
            break
    return total


def random_start():
    while True:
        s = (random.randrange(N), random.randrange(N))
        if s != (N - 1, N - 1):
            return s


def main(seed):
    torch.set_num_threads(1)
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed)
    q = nn.Sequential(nn.Linear(2 * N, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    target = copy.deepcopy(q).eval()
    opt = torch.optim.Adam(q.parameters(), lr=1e-3)
    memory, gamma = deque(maxlen=5000), 0.95
    s, t, learned, losses = random_start(), 0, 0, deque(maxlen=100)
    for step in range(1500):
        eps = max(0.1, 1.0 - step / 800)
        if random.random() < eps:
            a = random.randrange(4)
        else:
            with torch.no_grad():
                a = int(q(torch.from_numpy(encode(s))[None]).argmax())
        s2, r, done = env_step(s, a)
        memory.append((encode(s), a, r, encode(s2), float(done)))
        t += 1
        s = s2
        if done or t >= 30:          # a time-out is not a terminal state: its done flag stays 0
            s, t = random_start(), 0
        if len(memory) < 200:
            continue
        S, A, R, S2, D = zip(*random.sample(memory, 64))
        S, S2 = torch.from_numpy(np.stack(S)), torch.from_numpy(np.stack(S2))
        A, R, D = torch.tensor(A), torch.tensor(R), torch.tensor(D)
        with torch.no_grad():
            y = R + gamma * (1 - D) * target(S2).max(1).values
        loss = nn.functional.smooth_l1_loss(q(S).gather(1, A[:, None]).squeeze(1), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(q.parameters(), 10.0)
        opt.step()
        losses.append(loss.item())
        learned += 1
        if learned % 100 == 0:
            target.load_state_dict(q.state_dict())
        if learned % 260 == 0:
            print(f"learn {learned} td loss {np.mean(losses):.5f} return from corner {greedy_return(q, (0, 0)):+.2f}")
    q.eval()
    starts = [(i, j) for i in range(N) for j in range(N) if (i, j) != (N - 1, N - 1)]
    print(f"mean greedy return over all starts {np.mean([greedy_return(q, p) for p in starts]):.3f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(); ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
