"""Learns the language of Python's documentation: a word-level LSTM, trained on the text that help() shows.

    python examples/lstm_text.py [--steps 500] [--layers 2] [--write 60]

The text is part of Python itself (pydoc_data.topics, about 100,000 words). The network reads it in order, many places at
a time, carries what it remembers from one piece to the next, and learns to guess the next word. It takes a minute, shows
the loss as it falls, prints the perplexity and ends with a text of its own.
"""

import argparse
import math
import re
from collections import Counter
from pydoc_data.topics import topics

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F

UNKNOWN = "<unknown>"


class Words:
    """A text as numbers of its words, line ends and punctuation marks; seldom ones share a number."""

    def __init__(self, text, size):
        tokens = re.findall(r"\w+|[^\w\s]|\n", text)
        common = [word for word, _ in Counter(tokens).most_common(size - 1)]
        self.words = [UNKNOWN, *common]
        self.number = {word: i for i, word in enumerate(self.words)}
        self.data = torch.tensor([self.number.get(token, 0) for token in tokens])

    def columns(self, count):
        """The text cut into `count` pieces, side by side: (steps, count)."""
        steps = len(self.data) // count
        return self.data[: steps * count].view(count, steps).t().contiguous()

    def decode(self, numbers):
        """Words with spaces between them, but before marks that have none."""
        text = " ".join(self.words[i] for i in numbers)
        return re.sub(r" ?\n ?", "\n", re.sub(r" ([.,:;)\]'])", r"\1", text))


class Model(nn.Module):
    """Scores of the next word.

    Shape: input (steps, batch) of word numbers and the LSTM's state or None; output
    (steps, batch, words) and the state after the last step.
    """

    def __init__(self, words, width=64, hidden=128, layers=2, dropout=0.2):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, hidden, layers, dropout=dropout if layers > 1 else 0.0)
        self.head = nn.Linear(hidden, words)

    def forward(self, index, state=None):
        y, state = self.lstm(self.dropout(self.embedding(index)), state)
        return self.head(self.dropout(y)), state


def train(net, columns, optimizer, steps, length):
    """Yields the loss of each step, a piece of `length` words in every column."""
    net.train()
    at, state = 0, None
    for _ in range(steps):
        if at + length >= len(columns):  # from the beginning again
            at, state = 0, None
        x, y = columns[at : at + length], columns[at + 1 : at + length + 1]
        if state is not None:  # remembered, but not differentiated any further back
            state = tuple(s.detach() for s in state)
        optimizer.zero_grad()
        scores, state = net(x, state)
        loss = F.cross_entropy(scores.flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        at += length
        yield loss.item()


@torch.no_grad()
def write(net, words, start, length, temperature=0.8):
    """`start`, continued by `length` words, each drawn by its probability, none of them unknown."""
    net.eval()
    numbers = [words.number[word] for word in start.split()]
    state, fresh = None, numbers
    for _ in range(length):
        scores, state = net(torch.tensor(fresh)[:, None], state)
        chances = (scores[-1, 0] / temperature).softmax(0)
        chances[0] = 0
        fresh = [torch.multinomial(chances, 1).item()]
        numbers += fresh
    return words.decode(numbers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=32, help="places read at a time")
    parser.add_argument("--length", type=int, default=32, help="words from one step to the next")
    parser.add_argument("--words", type=int, default=2000, help="size of the vocabulary")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--write", type=int, default=60, help="words to write at the end")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    words = Words("\n".join(topics.values()), arguments.words)
    net = Model(len(words.words), hidden=arguments.hidden, layers=arguments.layers)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    columns, mean = words.columns(arguments.batch), None
    losses = train(net, columns, optimizer, arguments.steps, arguments.length)
    bar = tqdm(losses, total=arguments.steps, unit="step")
    for loss in bar:
        mean = loss if mean is None else 0.95 * mean + 0.05 * loss
        bar.set_postfix(loss=f"{mean:.3f}")
    print(f"loss {mean:.3f}, perplexity {math.exp(mean):.0f}\n")
    print(write(net, words, "The", arguments.write))


if __name__ == "__main__":
    main()
