"""REINFORCE with a learned baseline on a small corridor: walk to the goal end shown in the state.
The policy loss is often negative; what should go up is the return."""
import argparse
from collections import deque
import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical


class Corridor:
    """n parallel corridors of 7 cells, start in the middle, goal side random."""
    SIZE, HORIZON = 7, 10

    def __init__(self, n):
        self.n = n

    def reset(self):
        self.pos = torch.full((self.n,), self.SIZE // 2)
        self.goal = torch.randint(2, (self.n,)) * (self.SIZE - 1)
        self.alive = torch.ones(self.n)
        return self.obs()

    def obs(self):
        one = nn.functional.one_hot(self.pos, self.SIZE).float()
        side = (self.goal > 0).float().unsqueeze(1) * 2 - 1
        return torch.cat([one, side], 1)

    def step(self, a):
        self.pos = (self.pos + a * 2 - 1).clamp(0, self.SIZE - 1)
        done = (self.pos == self.goal).float()
        reward = self.alive * (done - 0.05)
        self.alive = self.alive * (1 - done)
        return self.obs(), reward


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(8, 32), nn.Tanh())
        self.pi, self.v = nn.Linear(32, 2), nn.Linear(32, 1)

    def forward(self, s):
        h = self.trunk(s)
        return Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    np.random.seed(seed)
    env, net = Corridor(32), Policy()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    recent = deque(maxlen=20)
    for update in range(1, 121):
        s = env.reset()
        logp, values, rewards, masks, ents = [], [], [], [], []
        for _ in range(env.HORIZON):
            masks.append(env.alive.clone())
            dist, v = net(s)
            a = dist.sample()
            s, r = env.step(a)
            logp.append(dist.log_prob(a)); values.append(v); rewards.append(r); ents.append(dist.entropy())
        ret, g = [], torch.zeros(env.n)
        for r in reversed(rewards):
            g = r + 0.97 * g
            ret.insert(0, g)
        ret, m = torch.stack(ret), torch.stack(masks)
        logp, values, ents = torch.stack(logp), torch.stack(values), torch.stack(ents)
        adv = (ret - values).detach()
        pg = -(logp * adv * m).sum() / m.sum()
        vf = ((values - ret) ** 2 * m).sum() / m.sum()
        loss = pg + 0.5 * vf - 0.01 * (ents * m).sum() / m.sum()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        recent.append(torch.stack(rewards).sum(0).mean().item())
        if update % 20 == 0:
            print(f"update {update} loss {loss.item():+.4f} mean return {np.mean(recent):+.3f}")
    print("final mean return", round(float(np.mean(recent)), 4), "(best possible 0.85)")


if __name__ == "__main__":
    main()
