"""Graph classification with a graph convolution written by hand (dense adjacency matrices)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(9)

N_NODES = 24
KINDS = ["random", "small world", "scale free", "communities"]


def empty():
    return torch.zeros(N_NODES, N_NODES)


def random_graph():
    return (torch.rand(N_NODES, N_NODES) < 0.16).float()


def small_world():
    a = empty()
    for i in range(N_NODES):
        for k in (1, 2):
            j = (i + k) % N_NODES if torch.rand(1) > 0.55 else torch.randint(N_NODES, (1,)).item()
            a[i, j] = 1
    return a


def scale_free():
    a = empty()
    a[0, 1] = a[1, 0] = 1
    for i in range(2, N_NODES):
        degree = (a + a.T).clamp(max=1)[:i, :i].sum(1) + 1e-3
        for j in torch.multinomial(degree, 2):
            if torch.rand(1) > 0.4:
                j = torch.randint(i, (1,)).item()
            a[i, j] = a[j, i] = 1
    return a


def communities():
    side = torch.arange(N_NODES) < N_NODES // 2
    p = torch.where(side[:, None] == side[None, :], 0.27, 0.07)
    return (torch.rand(N_NODES, N_NODES) < p).float()


def build(per_class):
    graphs, labels = [], []
    for label, make in enumerate([random_graph, small_world, scale_free, communities]):
        for _ in range(per_class):
            a = torch.triu(torch.maximum(m := make(), m.T), diagonal=1)
            a = a + a.T
            p = torch.randperm(N_NODES)
            graphs.append(a[p][:, p])
            labels.append(label)
    return torch.stack(graphs), torch.tensor(labels)


def node_features(adj):
    degree = adj.sum(-1)
    triangles = torch.diagonal(adj @ adj @ adj, dim1=-2, dim2=-1) / 2
    return torch.stack([degree, triangles], dim=-1)


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.own = nn.Linear(n_in, n_out)
        self.neighbours = nn.Linear(n_in, n_out, bias=False)

    def forward(self, x, adj):
        degree = adj.sum(-1, keepdim=True).clamp(min=1)
        return self.own(x) + self.neighbours(adj @ x / degree)


class GNN(nn.Module):
    def __init__(self, n_in=2, hidden=32, n_classes=len(KINDS)):
        super().__init__()
        self.conv1 = GraphConv(n_in, hidden)
        self.conv2 = GraphConv(hidden, hidden)
        self.readout = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, n_classes))

    def forward(self, x, adj):
        x = F.relu(self.conv1(x, adj))
        x = F.relu(self.conv2(x, adj))
        return self.readout(torch.cat([x.mean(1), x.amax(1)], dim=1))


adj, labels = build(400)
features = node_features(adj)
is_test = torch.rand(len(labels)) < 0.25
train_adj, train_x, train_y = adj[~is_test], features[~is_test], labels[~is_test]
test_adj, test_x, test_y = adj[is_test], features[is_test], labels[is_test]
mean, std = train_x.mean((0, 1)), train_x.std((0, 1))
train_x, test_x = (train_x - mean) / std, (test_x - mean) / std

model = GNN()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
batch_size = 32


def test():
    model.eval()
    with torch.no_grad():
        logits = model(test_x, test_adj)
    return F.cross_entropy(logits, test_y).item(), (logits.argmax(1) == test_y).float().mean().item()


for epoch in range(1, 31):
    model.train()
    order = torch.arange(len(train_y))
    total = 0.0
    for idx in order.split(batch_size):
        loss = F.cross_entropy(model(train_x[idx], train_adj[idx]), train_y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 0:
        test_loss, test_acc = test()
        print(f"Epoch: {epoch:03d}, Loss: {total / len(train_y):.4f}, Test loss: {test_loss:.4f}, Test acc: {test_acc:.4f}")
