"""Recognises handwritten digits by convolution: LeNet-5, trained on scikit-learn's images.

    python examples/lenet.py [--epochs 15] [--plot lenet.png]

The 1797 real digits have 8x8 pixels; they are enlarged to the 28x28 that the network was made for.
Three quarters are to learn from, one quarter is to test. It takes a few seconds, prints the share of
test digits that the network gets right, and draws how it got there and what its first layer sees.
"""

import argparse

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F
from rushlight.utils.data import DataLoader, TensorDataset


class LeNet(nn.Module):
    """LeCun, Bottou, Bengio, Haffner, 1998, with ReLU and maxima.

    Shape: input (N, 1, 28, 28), output (N, 10), a score for each digit.
    """

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, 10),
        )

    def forward(self, images):
        return self.classifier(self.features(images))


def dataset(images, labels):
    """Images of 28x28 grey values from 0 to 1, and which digits they show."""
    images = torch.tensor(images / 16, dtype=torch.float32).unsqueeze(1)
    images = F.interpolate(images, size=28, mode="bilinear")
    return TensorDataset(images, torch.tensor(labels))


def load():
    """The examples to learn from, and those to test with."""
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.images, digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )
    return dataset(train_x, train_y), dataset(test_x, test_y)


def train(net, loader, optimizer, steps=None):
    """Goes through all examples once, or `steps` batches far; returns the loss of each batch."""
    net.train()
    losses = []
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if len(losses) == steps:
            break
    return losses


def accuracy(net, data):
    """The share of examples for which the largest of the 10 scores is the right one."""
    images, labels = data.tensors
    net.eval()
    with torch.no_grad():
        return (net(images).argmax(dim=1) == labels).float().mean().item()


def plot(losses, accuracies, filters, path):
    """Draws loss, test accuracy and the kernels of the first layer into a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.plot(losses, color="tab:blue", linewidth=0.8)
    left.set(title="Training loss", xlabel="step", ylabel="cross-entropy", yscale="log")
    middle.plot(range(1, len(accuracies) + 1), accuracies, color="tab:green")
    middle.set(title="Test accuracy", xlabel="epoch", ylabel="share of digits right")
    for axes in (left, middle):
        axes.grid(alpha=0.3)
    rows = [torch.cat(list(F.pad(filters[i : i + 3], (1, 1, 1, 1))), dim=1) for i in (0, 3)]
    right.imshow(torch.cat(rows).numpy(), cmap="gray")
    right.set(title="Kernels of the first layer", xticks=[], yticks=[])
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--plot", default="lenet.png", help="where to draw (PNG)")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    training, test = load()
    loader = DataLoader(training, batch_size=32, shuffle=True, drop_last=True)
    net = LeNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

    losses, accuracies = [], []
    bar = tqdm(range(arguments.epochs), unit="epoch")
    for _ in bar:
        losses += train(net, loader, optimizer)
        accuracies.append(accuracy(net, test))
        bar.set_postfix(loss=f"{losses[-1]:.4f}", accuracy=f"{accuracies[-1]:.1%}")

    plot(losses, accuracies, net.features[0].weight.detach().squeeze(1), arguments.plot)
    print(f"test accuracy {accuracies[-1]:.2%}, plot in {arguments.plot}")


if __name__ == "__main__":
    main()
