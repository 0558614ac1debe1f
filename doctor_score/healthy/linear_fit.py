# y = 2x + 1, the "hello world"
import argparse
import torch

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)
torch.set_num_threads(1)

x = torch.rand(200, 1) * 2 - 1
y = 2 * x + 1 + 0.05 * torch.randn(200, 1)
x_train, y_train = x[:160], y[:160]
x_test, y_test = x[160:], y[160:]

model = torch.nn.Linear(1, 1)
criterion = torch.nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(200):
    pred = model(x_train)
    loss = criterion(pred, y_train)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    if (epoch + 1) % 20 == 0:
        print("Epoch [{}/200], Loss: {:.5f}".format(epoch + 1, loss.item()))

with torch.no_grad():
    test_loss = criterion(model(x_test), y_test)
print("w = {:.3f}, b = {:.3f}, test loss = {:.5f}".format(model.weight.item(), model.bias.item(), test_loss.item()))
