"""One model in training: AdamW with warm-up and a cosine, its own random numbers, and its step as a CUDA graph.

A model this small leaves a GPU idle between kernels. So one whole step (data, forward, backward, clipping, AdamW,
learning rate) is captured as a CUDA graph, on a stream of its own, and several models take their steps side by side.
Without a GPU the same steps run one by one.
"""

import math

import torch

CLIP_NORM = 1.0
LAST_LEARNING_RATE = 0.01  # of the peak, where the cosine ends
WARM_STEPS = 3  # taken for real before a step is captured


class Optimisation:
    """`loss(model, generator)` draws data and returns the loss; it must not wait for the device."""

    def __init__(self, model, seed, learning_rate, weight_decay, warmup, total_steps, betas=(0.9, 0.999)):
        self.model, self.device = model, next(model.parameters()).device
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.peak, self.warmup, self.total = learning_rate, warmup, total_steps
        self.taken = torch.zeros((), device=self.device)
        self.learning_rate = torch.zeros((), device=self.device)
        kept = [p for name, p in model.named_parameters() if name.endswith((".dt_bias", ".D"))]
        decayed = [p for name, p in model.named_parameters() if not name.endswith((".dt_bias", ".D"))]
        on_gpu = self.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}],
            lr=self.learning_rate, betas=betas, fused=True, capturable=on_gpu)
        self.stream = torch.cuda.Stream() if on_gpu else None
        self.graph = self.compute_loss = self.loss = None

    def compute_step(self):
        """One training step; asks nothing back from the device."""
        self.taken += 1
        decay = 0.5 * (1 + torch.cos(math.pi * self.taken / self.total))
        self.learning_rate.copy_(self.peak * (self.taken / self.warmup).clamp(max=1)
                                 * (LAST_LEARNING_RATE + (1 - LAST_LEARNING_RATE) * decay))
        self.loss = self.compute_loss(self.model, self.generator)
        self.optimizer.zero_grad(set_to_none=True)
        self.loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimizer.step()

    def begin(self, compute_loss):
        """From now on this loss. Takes a few real steps, then captures one; returns how many steps were taken."""
        self.compute_loss, self.graph = compute_loss, None
        if self.stream is None:
            return 0
        torch.cuda.synchronize()
        with torch.cuda.stream(self.stream):
            for _ in range(WARM_STEPS):
                self.compute_step()
        torch.cuda.synchronize()
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        with torch.cuda.graph(graph, stream=self.stream):
            self.compute_step()
        self.graph = graph
        return WARM_STEPS

    def step(self):
        if self.graph is None:
            self.compute_step()
            return
        with torch.cuda.stream(self.stream):
            self.graph.replay()
