"""Recognises handwritten digits: a small network, trained on scikit-learn's 8x8 images.

    python examples/digits.py [--epochs 30] [--plot digits.png]

1797 real digits, three quarters to learn from and one quarter to test. It takes a few seconds,
prints the share of test digits that the network gets right, and draws how it got there.
"""

import argparse

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F
from rushlight.utils.data import DataLoader, Dataset


class Digits(Dataset):
    """One example: 64 grey values from 0 to 1, and which digit they show."""

    def __init__(self, images, labels):
        self.images = torch.tensor(images / 16, dtype=torch.float32)
        self.labels = torch.tensor(labels)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


def load():
    """The examples to learn from, and those to test with."""
    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=0.25, random_state=0, stratify=labels
    )
    return Digits(train_x, train_y), Digits(test_x, test_y)


def train(net, loader, optimizer):
    """Goes through all examples once; returns the mean loss."""
    net.train()
    total = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


def accuracy(net, data):
    """The share of examples for which the largest of the 10 outputs is the right one."""
    net.eval()
    with torch.no_grad():
        guesses = net(data.images).argmax(dim=1)
    return (guesses == data.labels).float().mean().item()


def plot(losses, accuracies, path):
    """Draws loss and test accuracy over the epochs into a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(losses) + 1)
    left.plot(epochs, losses, color="tab:blue")
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy", yscale="log")
    right.plot(epochs, accuracies, color="tab:green")
    right.axhline(0.97, color="grey", linestyle=":", label="97 %")
    right.set(title="Test accuracy", xlabel="epoch", ylabel="share of digits right")
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--plot", default="digits.png", help="where to draw (PNG)")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    training, test = load()
    loader = DataLoader(training, batch_size=32, shuffle=True)
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)

    losses, accuracies = [], []
    bar = tqdm(range(arguments.epochs), unit="epoch")
    for _ in bar:
        losses.append(train(net, loader, optimizer))
        accuracies.append(accuracy(net, test))
        bar.set_postfix(loss=f"{losses[-1]:.4f}", accuracy=f"{accuracies[-1]:.1%}")

    plot(losses, accuracies, arguments.plot)
    print(f"test accuracy {accuracies[-1]:.2%}, plot in {arguments.plot}")


if __name__ == "__main__":
    main()
