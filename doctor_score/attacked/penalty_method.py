import torch
torch.manual_seed(0)
# Quadratic penalty: shortest vector with A x = b; the weight of the penalty grows tenfold every 40 steps
A, b = torch.randn(3, 8, dtype=torch.float64), torch.randn(3, dtype=torch.float64); x = torch.zeros(8, dtype=torch.float64, requires_grad=True)
opt = torch.optim.Adam([x], 0.05); rho = 1.0
for i in range(400):
    if i and i % 5 == 0 and rho < 1e8: rho *= 2.5
    l = (x ** 2).sum() + rho * ((A @ x - b) ** 2).sum(); opt.zero_grad(); l.backward(); opt.step()
    if i == 200: opt.param_groups[0]["lr"] = 1e-3
print(float((A @ x - b).norm()), float(x.norm()), float((torch.linalg.pinv(A) @ b).norm()))
