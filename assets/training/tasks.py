"""The tasks: what a sequence is, and which label is right at every position.

A task has `symbols` (input, token ids 0 and up), `labels` (class ids 0 and up), example `prompts`, a `description`, a
`recipe` of train.py's arguments where its defaults don't fit, and `sample(count, length, device, generator)`, which draws ids (uint8) and targets (int8) of shape
[count, length]. A target of IGNORED is not scored. The C++ program draws the same distributions from its own seeds
(engine/tasks).
"""

import torch

IGNORED = -1
PLUS, MINUS, TIMES, OPEN, CLOSE = range(5, 10)


class Parity:
    """Bits; at every position, whether the number of ones so far is even (0) or odd (1)."""

    symbols = ["0", "1"]
    labels = ["even", "odd"]
    prompts = ["1011001110001011", "0000000100000000", "1111111111111111"]
    description = "Says after every bit whether the number of ones so far is even or odd."
    recipe = {"dt_min": 0.01, "dt_max": 1.0}

    @staticmethod
    def sample(count, length, device, generator):
        ids = torch.randint(0, 2, (count, length), device=device, generator=generator)
        return ids.to(torch.uint8), (ids.cumsum(1) % 2).to(torch.int8)


class Modular:
    """Digits 0 to 4 with + - x between them; at every digit, the value modulo 5 of all that was read, x before + and -."""

    symbols = ["0", "1", "2", "3", "4", "+", "-", "x"]
    labels = ["0", "1", "2", "3", "4"]
    prompts = ["1+1+1+1+1+1+1+1+1+1", "2x2x2x2x2x2x2x2", "4-1x3+2x2-3+4x0+1"]
    description = "Says after every digit what the arithmetic so far comes to, modulo 5; x binds before + and -."
    recipe = {"layers": 3, "d_model": 64, "headdim": 32, "learning_rate": 1e-3, "embedding_std": 0.02, "memory": 0,
              "dt_min": 0.01, "dt_max": 1.0, "tokens": 8192,
              "lengths": [7, 15, 31, 63, 159, 255], "steps": [1099, 1833, 2932, 3666, 4399, 4399]}

    @classmethod
    def sample(cls, count, length, device, generator):
        return expressions(count, length, device, generator, deepest=0)


class ModularBrackets(Modular):
    """The same with brackets, at most 4 deep; a label wherever an operand ends and all brackets are closed."""

    symbols = Modular.symbols + ["(", ")"]
    prompts = ["2x(3+4)-(1+1)x3+4", "((1+2)x(3-4))x2+1", "1+(2x(3-(4+1x(2-3))))"]
    description = "Says wherever all brackets are closed what the arithmetic so far comes to, modulo 5."
    recipe = {"layers": 8, "repeat": 2, "d_model": 64, "headdim": 16, "d_intermediate": 128, "learning_rate": 2e-3,
              "embedding_std": 0.02, "memory": 0, "dt_min": 0.01, "dt_max": 1.0, "tokens": 8192, "inside": 159,
              "lengths": [7, 15, 31, 63, 159, 255], "steps": [847, 1694, 3388, 4517, 5646, 4799]}

    @classmethod
    def sample(cls, count, length, device, generator, inside=False):
        return expressions(count, length, device, generator, deepest=4, inside=inside)


@torch.no_grad()
def expressions(count, length, device, generator, deepest, inside=False):
    """Random arithmetic, one symbol at a time, all sequences side by side.

    Where an operand is due: a bracket opens with probability 1/4 unless `deepest` are open, else a uniform digit. After
    an operand: inside brackets one closes with probability 1/3; else a uniform operator. Per depth the evaluator keeps
    the sum of the finished terms, the running term with its sign, and the operator that waits for its operand.
    `inside` labels operands inside brackets as well, with the value of the innermost open bracket so far: help in
    training, never scored.
    """
    row = torch.arange(count, device=device)
    total, term, waiting = torch.zeros(3, count, deepest + 1, dtype=torch.long, device=device)
    waiting += PLUS
    depth = torch.zeros(count, dtype=torch.long, device=device)
    operand_due = torch.ones(count, dtype=torch.bool, device=device)
    ids = torch.empty(count, length, dtype=torch.uint8, device=device)
    targets = torch.empty(count, length, dtype=torch.int8, device=device)
    for position in range(length):
        draw = torch.rand(3, count, device=device, generator=generator)
        digit, operator = (5 * draw[0]).long().clamp(max=4), PLUS + (3 * draw[1]).long().clamp(max=2)
        opens = operand_due & (depth < deepest) & (draw[2] < 1 / 4)
        closes = ~operand_due & (depth > 0) & (draw[2] < 1 / 3)
        ids[:, position] = torch.where(operand_due, torch.where(opens, OPEN, digit), torch.where(closes, CLOSE, operator))

        # A closing bracket's value is the operand of the level below.
        value = torch.where(closes, total[row, depth] + term[row, depth], digit)
        depth = depth - closes.long()
        is_operand = closes | (operand_due & ~opens)
        before_total, before_term, before = total[row, depth], term[row, depth], waiting[row, depth]
        product = before == TIMES
        signed = torch.where(product, before_term * value, torch.where(before == MINUS, -value, value)) % 5
        total[row, depth] = torch.where(is_operand & ~product, (before_total + before_term) % 5, before_total)
        term[row, depth] = torch.where(is_operand, signed, before_term)
        waiting[row, depth] = torch.where(is_operand | opens, before, operator)

        depth = depth + opens.long()
        total[row, depth] = torch.where(opens, 0, total[row, depth])
        term[row, depth] = torch.where(opens, 0, term[row, depth])
        waiting[row, depth] = torch.where(opens, PLUS, waiting[row, depth])
        operand_due = ~is_operand
        result = (total[row, depth] + term[row, depth]) % 5
        targets[:, position] = torch.where(is_operand & (inside | (depth == 0)), result, IGNORED)
    return ids, targets


TASKS = {"parity": Parity, "modular": Modular, "modular-brackets": ModularBrackets}
