"""Style transfer with LBFGS, and augmentation of images by tensor operators."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(0)
torch.set_default_device("cpu")
cnn = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),
    nn.ReLU(inplace=True),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1),
    nn.ReLU(inplace=True),
).eval()


class ContentLoss(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = target.detach()

    def forward(self, input):
        self.loss = F.mse_loss(input, self.target)
        return input


def gram_matrix(input):
    a, b, c, d = input.size()
    features = input.view(a * b, c * d)
    G = torch.mm(features, features.t())
    return G.div(a * b * c * d)


class StyleLoss(nn.Module):
    def __init__(self, tf):
        super().__init__()
        self.target = gram_matrix(tf).detach()

    def forward(self, input):
        self.loss = F.mse_loss(gram_matrix(input), self.target)
        return input


class Normalization(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean = torch.tensor(mean).view(-1, 1, 1)
        self.std = torch.tensor(std).view(-1, 1, 1)

    def forward(self, img):
        return (img - self.mean) / self.std


content, style = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
norm = Normalization([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
model = nn.Sequential(norm)
sl, cl = [], []
i = 0
for layer in cnn.children():
    if isinstance(layer, nn.Conv2d):
        i += 1
        name = f"conv_{i}"
    elif isinstance(layer, nn.ReLU):
        name = f"relu_{i}"
        layer = nn.ReLU(inplace=False)
    elif isinstance(layer, nn.MaxPool2d):
        name = f"pool_{i}"
    else:
        raise RuntimeError("Unrecognized layer: {}".format(layer.__class__.__name__))
    model.add_module(name, layer)
    if name == "conv_2":
        c = ContentLoss(model(content).detach())
        model.add_module(f"content_loss_{i}", c)
        cl.append(c)
    if name.startswith("conv"):
        s = StyleLoss(model(style).detach())
        model.add_module(f"style_loss_{i}", s)
        sl.append(s)
print(model)
inp = content.clone()
opt = optim.LBFGS([inp])
inp.requires_grad_(True)
model.eval()
model.requires_grad_(False)
run = [0]
while run[0] <= 25:

    def closure():
        with torch.no_grad():
            inp.clamp_(0, 1)
        opt.zero_grad()
        model(inp)
        ss = sum(x.loss for x in sl) * 1e4
        cs = sum(x.loss for x in cl)
        l = ss + cs
        l.backward()
        run[0] += 1
        if run[0] in (1, 3, 6):
            print(
                "run {}: Style Loss : {:4f} Content Loss: {:4f}".format(run, ss.item(), cs.item())
            )
        return ss + cs

    opt.step(closure)
with torch.no_grad():
    inp.clamp_(0, 1)
print(inp.shape, inp.is_leaf)
# data augmentation by tensor ops
img = torch.arange(2 * 3 * 4 * 4, dtype=torch.float).view(2, 3, 4, 4)
print(
    img.flip(-1)[0, 0],
    torch.rot90(img, 1, [2, 3])[0, 0],
    F.pad(img, (1, 1, 1, 1), mode="reflect")[0, 0],
    img.roll(1, -1)[0, 0],
)
print(
    F.interpolate(img, scale_factor=2, mode="nearest").shape,
    F.interpolate(img, size=(6, 6), mode="bilinear", align_corners=False)[0, 0],
)
theta = torch.tensor([[[1.0, 0, 0.2], [0, 1, 0]]]).repeat(2, 1, 1)
grid = F.affine_grid(theta, img.size(), align_corners=False)
print(F.grid_sample(img, grid, align_corners=False)[0, 0])


def random_crop(x, s):
    i, j = (
        torch.randint(0, x.size(-2) - s + 1, (1,)).item(),
        torch.randint(0, x.size(-1) - s + 1, (1,)).item(),
    )
    return x[..., i : i + s, j : j + s]


print(
    random_crop(img, 2),
    (img - img.mean(dim=(0, 2, 3), keepdim=True)).div(img.std(dim=(0, 2, 3), keepdim=True))[0, 0],
)
gray = (img * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1)
print(gray[0])
lam = torch.distributions.Beta(1.0, 1.0).sample()
perm = torch.randperm(2)
mix = lam * img + (1 - lam) * img[perm]
print(lam, mix.mean())
mask = torch.rand(4, 4) > 0.5
print(torch.where(mask, img[0, 0], torch.zeros(())), img[0, 0].masked_select(mask))
print(
    img.to(torch.uint8)[1, 2],
    img.permute(0, 2, 3, 1).contiguous().numpy().dtype,
    (img / 255).clamp(0, 1).mul(255).byte().max(),
)
u = F.unfold(img, 2, stride=2)
print(u.shape, F.fold(u, (4, 4), 2, stride=2).equal(img))
print(
    nn.PixelShuffle(2)(torch.arange(16.0).view(1, 4, 2, 2)),
    nn.Upsample(scale_factor=2)(torch.ones(1, 1, 2, 2)).shape,
)
