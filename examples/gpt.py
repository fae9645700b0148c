"""Writes like Python's documentation: a small GPT, trained on the text that help() shows.

    python examples/gpt.py [--steps 600] [--length 400] [--tied]

The text is part of Python itself (pydoc_data.topics, about 700 kB). The network sees it character by character and
learns to guess the next one. It takes a minute or two and ends with a text of its own.
"""

import argparse
from pydoc_data.topics import topics

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F


class Attention(nn.Module):
    """Each position looks at itself and the positions before it, in several heads."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    """Attention, then two linear layers, each added to what came in."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Scores of the next character, at each position of texts of up to `context` characters.

    Shape: input (batch, length) of character numbers, output (batch, length, characters).
    """

    def __init__(self, characters, context, width=128, heads=4, layers=4, tied=False):
        super().__init__()
        self.context = context
        self.token = nn.Embedding(characters, width)
        self.position = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters, bias=False)
        if tied:
            self.head.weight = self.token.weight

    def forward(self, index):
        positions = torch.arange(index.shape[1])
        x = self.token(index) + self.position(positions)
        return self.head(self.norm(self.blocks(x)))


class Text:
    """A text as character numbers."""

    def __init__(self, text):
        self.characters = sorted(set(text))
        self.number = {c: i for i, c in enumerate(self.characters)}
        self.data = self.encode(text)

    def encode(self, text):
        return torch.tensor([self.number[c] for c in text])

    def decode(self, numbers):
        return "".join(self.characters[i] for i in numbers)

    def batch(self, size, context):
        """Random pieces, and the same one character on."""
        starts = torch.randint(len(self.data) - context, (size,)).tolist()
        pieces = torch.stack([self.data[s : s + context + 1] for s in starts])
        return pieces[:, :-1], pieces[:, 1:]


def train(net, text, optimizer, steps, batch):
    """Yields the loss of each step."""
    for _ in range(steps):
        x, y = text.batch(batch, net.context)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x).flatten(0, 1), y.flatten())
        loss.backward()
        optimizer.step()
        yield loss.item()


@torch.no_grad()
def write(net, text, start, length, temperature=0.8):
    """`start`, continued by `length` characters, each drawn by its probability."""
    index = text.encode(start)[None]
    for _ in range(length):
        scores = net(index[:, -net.context :])[0, -1] / temperature
        index = torch.cat([index, torch.multinomial(scores.softmax(0), 1)[None]], dim=1)
    return text.decode(index[0].tolist())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--length", type=int, default=400, help="of the text to write")
    parser.add_argument("--tied", action="store_true", help="one weight for embedding and scores")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    text = Text("\n".join(topics.values()))
    net = GPT(len(text.characters), arguments.context, tied=arguments.tied)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    mean = None
    bar = tqdm(train(net, text, optimizer, arguments.steps, arguments.batch), total=arguments.steps, unit="step")
    for loss in bar:
        mean = loss if mean is None else 0.95 * mean + 0.05 * loss
        bar.set_postfix(loss=f"{mean:.3f}")
    print(f"loss {mean:.3f}\n")
    print(write(net, text, "The ", arguments.length))


if __name__ == "__main__":
    main()
