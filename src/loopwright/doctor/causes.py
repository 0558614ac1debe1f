"""The causes that the doctor can name: what is wrong, the fix in one line, what else could look the same.

A rule finds the evidence; the words about a cause stand here once. The names are the vocabulary of findings, of the
fault lab's expected diagnoses and of every label that the doctor is scored against.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """`wrong`: what is the matter, as a sentence. `fix`: one line. `otherwise`: what else could explain the evidence."""

    name: str
    wrong: str
    fix: str
    otherwise: str


def _table(*rows: tuple[str, str, str, str]) -> dict[str, Cause]:
    return {row[0]: Cause(*row) for row in rows}


DATA = _table(
    (
        "no-shuffle",
        "the training data are sorted and not shuffled: each batch holds one kind of sample",
        "shuffle the training set: DataLoader(…, shuffle=True), or a new permutation in each epoch",
        "a stream that really arrives in this order",
    ),
    (
        "same-order",
        "every epoch shows the samples in the same shuffled order",
        "draw a new order in each epoch: no seed set inside the epoch loop; sampler.set_epoch(epoch)",
        "an order fixed on purpose, as in a curriculum",
    ),
    (
        "worker-randomness",
        "loader workers draw the same random numbers, so augmentations repeat",
        "seed each worker's own generator (worker_init_fn), or use torch's generator in the dataset",
        "a dataset that holds these samples twice",
    ),
    (
        "unscaled-input",
        "the model's input is not scaled: its numbers are far larger than what layers are initialized for",
        "scale the input, as with (x - mean) / std of the training split, or / 255 for pixels",
        "a model that normalizes by itself further in",
    ),
    (
        "twice-normalized",
        "the input was normalized twice",
        "normalize once: in the dataset or in the loop, not in both",
        "data whose range is this small by nature",
    ),
    (
        "split-preprocessing",
        "training and validation inputs are preprocessed differently",
        "use one preprocessing, with statistics of the training split, for every split",
        "splits that come from different sources",
    ),
    (
        "split-overlap",
        "samples of the training set are in the validation set",
        "split before anything else, without duplicates: by index sets that are disjoint, or by content hash",
        "data that holds few distinct samples",
    ),
    (
        "fitted-on-all",
        "the preprocessing was fitted on all data, validation and test included",
        "fit scalers, vocabularies and imputers on the training rows alone",
        "splits whose statistics agree by chance",
    ),
    (
        "label-leak",
        "the label can be read off the input",
        "remove the column that the label was written into, or that is computed from it",
        "a problem that really is this easy",
    ),
    (
        "constant-input",
        "the model's input is the same for every sample",
        "look at what the loader gives: the samples are overwritten, zeroed, or all the same index",
        "an input that is a constant by design, as a learned query",
    ),
    (
        "non-finite-input",
        "inputs hold NaN or infinities",
        "drop or impute these rows; look at the divisions and logarithms of the preprocessing",
        "a missing value that is coded as NaN",
    ),
    (
        "random-validation",
        "validation samples are random: the same sample is another one when it is fetched again",
        "keep augmentation out of the validation transform",
        "test-time augmentation on purpose",
    ),
    (
        "partial-epoch",
        "an epoch sees a part of the training set only",
        "iterate over the whole loader: no early break, no next(iter(loader)) in the loop",
        "a budget of steps that is smaller than an epoch",
    ),
    (
        "class-imbalance",
        "one class is nearly all of the data, and the model predicts nothing else",
        "weigh the classes or resample, and look at recall or F1 of each class instead of accuracy",
        "too short a training",
    ),
)

TARGETS = _table(
    (
        "random-labels",
        "the labels have nothing to do with the inputs",
        "look at pairs of input and label; find where one was shuffled or re-indexed without the other",
        "a problem too hard for the probe that looked for a signal",
    ),
    (
        "shifted-labels",
        "inputs are paired with the labels of a neighboring sample or the wrong token",
        "align the two: the probe says by how many places they are apart",
        "neighboring samples that are alike",
    ),
    (
        "unshifted-targets",
        "the model is trained to predict the token it is given: the shift by one is missing",
        "targets = tokens[:, 1:] for logits of tokens[:, :-1]",
        "an autoencoder on purpose",
    ),
    (
        "double-shift",
        "the targets are shifted twice: the model is trained to predict the token after the next",
        "shift once: in the data set or in the loss, not in both",
        "a model that predicts two tokens ahead on purpose",
    ),
    (
        "target-range",
        "targets are outside of the classes that the model has",
        "count classes from 0, and give the model as many outputs as there are",
        "an ignore index that the loss was not told of",
    ),
    (
        "target-broadcast",
        "prediction and target have shapes that broadcast: every prediction is compared with every target",
        "give both the same shape: prediction.squeeze(-1), or target.unsqueeze(-1)",
        "a table of pairs on purpose",
    ),
    (
        "unscaled-target",
        "the regression targets are far larger than what the model puts out",
        "standardize the targets, and undo it when predicting",
        "a loss in other units",
    ),
)

LOSSES = _table(
    (
        "future-visible",
        "the prediction for a position depends on later tokens: the causal mask is missing, inverted or off by one",
        "mask the future: position t may attend to positions up to t",
        "a bidirectional model on purpose",
    ),
    (
        "padding-visible",
        "what stands at padded positions changes the predictions",
        "mask padding in attention and pooling; check the mask's polarity",
        "a token that is no padding",
    ),
    (
        "padding-in-loss",
        "padding counts in the loss",
        "pass ignore_index, or multiply by the mask and divide by its sum",
        "a token that is no padding",
    ),
    (
        "nothing-supervised",
        "nearly all targets are masked: the loss sees next to nothing",
        "look at the loss mask or the ignore index: its polarity, and what it covers",
        "a task with rare targets",
    ),
    (
        "eos-masked",
        "the end of a sequence is never a target, so the model never learns to stop",
        "give padding an id of its own, or mask by lengths instead of by the id",
        "sequences that are cut before their end",
    ),
    (
        "prompt-trained",
        "the loss counts the prompt and not the response",
        "invert the loss mask: True where the response is",
        "training on prompts on purpose",
    ),
    (
        "double-softmax",
        "the loss expects logits and gets probabilities: softmax or sigmoid is applied twice",
        "return logits from the model; the loss applies softmax or sigmoid itself",
        "logits that sum to one by chance",
    ),
    (
        "wrong-loss",
        "the loss does not fit what the model puts out",
        "cross_entropy takes logits, nll_loss takes log-probabilities, mse_loss numbers",
        "a loss used in an unusual way",
    ),
    (
        "final-activation",
        "the logits have gone through an activation that cuts off their negative half",
        "remove the activation behind the last layer",
        "outputs that are meant to be positive",
    ),
    (
        "ragged-accumulation",
        "micro-batches of unequal size are averaged as if they were equal",
        "add up sums and divide once, by the total count",
        "parts that are weighted on purpose",
    ),
    (
        "undivided-accumulation",
        "gradients of several micro-batches are added up without dividing by their number",
        "loss = loss / number_of_micro_batches before backward",
        "a sum on purpose, with a learning rate that allows for it",
    ),
)

MODES = _table(
    (
        "eval-mode-missing",
        "validation runs in training mode: dropout and batch statistics are at work in it",
        "model.eval() before validation, model.train() behind it",
        "Monte Carlo dropout on purpose",
    ),
    (
        "train-mode-missing",
        "training runs in evaluation mode: dropout is off, batch statistics are frozen",
        "model.train() at the start of each epoch, after each validation",
        "normalization frozen on purpose",
    ),
    (
        "mixed-mode",
        "a part of the model that is trained is in evaluation mode while the rest is in training mode",
        "model.train() on the whole model; return self from an overridden train()",
        "a part frozen on purpose",
    ),
    (
        "batch-statistics",
        "batch normalization keeps no usable running statistics",
        "track_running_stats=True, a momentum near 0.1, and batches of more than a few samples",
        "statistics frozen on purpose",
    ),
    (
        "dropout-too-high",
        "dropout removes nearly everything",
        "a rate of 0.1 to 0.5",
        "a very wide layer",
    ),
    (
        "gradients-in-validation",
        "validation builds graphs for gradients that nobody asks for",
        "with torch.no_grad(): around validation",
        "gradients that are looked at later",
    ),
)

GRADIENTS = _table(
    (
        "no-zero-grad",
        "gradients of earlier steps are never cleared: each update uses the sum of all",
        "optimizer.zero_grad() once in each step, before backward",
        "accumulation over steps on purpose",
    ),
    (
        "zero-before-step",
        "gradients are cleared between backward and step, so that step has nothing to use",
        "the order is zero_grad, backward, step",
        "none known",
    ),
    (
        "double-backward",
        "backward runs twice on the same loss, so that gradients count double",
        "call backward once for each loss",
        "two losses that share a graph",
    ),
    (
        "graph-cut",
        "a part of the model that the loss depends on gets no gradient: the graph is cut behind it",
        "remove the detach(), .item(), .data, numpy() or no_grad() between this part and the loss",
        "a part frozen on purpose, without requires_grad_(False)",
    ),
    (
        "frozen",
        "parameters that were never trained or loaded do not require gradients",
        "requires_grad_(True), or load the weights that are meant to stay",
        "random features on purpose",
    ),
    (
        "vanishing-gradients",
        "gradients shrink from layer to layer: the first layers hardly learn",
        "ReLU-like activations, normalization, residual connections, or an initialization that fits the activation",
        "first layers that have learned already",
    ),
    (
        "exploding-gradients",
        "gradients grow without bound",
        "clip the gradient norm, lower the learning rate, initialize smaller",
        "a single outlier batch",
    ),
    (
        "clip-too-low",
        "clipping cuts nearly all of every gradient",
        "a larger max_norm: near the usual norm, which the evidence shows",
        "gradients far larger than usual",
    ),
    (
        "clip-after-step",
        "gradients are clipped after the update that they were for",
        "clip between backward and step",
        "none known",
    ),
    (
        "clip-before-unscale",
        "gradients are clipped while they are still scaled for fp16",
        "scaler.unscale_(optimizer) before clipping",
        "a threshold that allows for the scale",
    ),
    (
        "retained-graph",
        "losses of earlier steps are kept with their graphs: memory grows",
        "keep loss.item() or loss.detach(), not the tensor",
        "a list that is emptied later",
    ),
    (
        "zeroed-gradient",
        "parameters get gradients that are zero throughout",
        "look for a hook that replaces gradients, or a factor of zero in the loss",
        "a unit that is off for these inputs",
    ),
)

UPDATES = _table(
    (
        "lr-too-large",
        "the learning rate is too large: updates overwrite the weights",
        "a tenth of the rate or less, with warm-up",
        "a loss that is noisy by nature",
    ),
    (
        "lr-too-small",
        "the learning rate is too small: the weights hardly move",
        "ten times the rate or more",
        "warm-up that has not ended",
    ),
    (
        "no-step",
        "the optimizer never makes a step",
        "optimizer.step() after backward",
        "gradients that are used in another way",
    ),
    (
        "missing-from-optimizer",
        "parameters get gradients and are in no optimizer: they are never updated",
        "give the optimizer model.parameters(), after the model is complete",
        "parameters frozen on purpose, without requires_grad_(False)",
    ),
    (
        "stale-optimizer",
        "the optimizer holds parameters that the model no longer has",
        "build the optimizer after the last change to the model: replaced heads, moved or wrapped models",
        "a second model that is not in use yet",
    ),
    (
        "optimizer-rebuilt",
        "the optimizer is built anew again and again, and forgets its momentum",
        "build it once, before the loop",
        "restarts on purpose",
    ),
    (
        "schedule-too-fast",
        "the schedule is through long before the training is",
        "step the schedule once for each of what its length counts: epochs or batches",
        "a tail at a very small rate on purpose",
    ),
    (
        "schedule-before-step",
        "the schedule is stepped before the optimizer",
        "optimizer.step() first, then scheduler.step()",
        "a first step that fp16 scaling skipped",
    ),
    (
        "weight-decay-too-large",
        "weight decay outweighs the gradients: the weights shrink away",
        "a weight decay of 0.1 or less",
        "very long training with a purpose",
    ),
    (
        "optimizer-settings",
        "the optimizer's constants are far from any that work",
        "the defaults: betas (0.9, 0.999), eps 1e-8, momentum 0.9",
        "an experiment about these constants",
    ),
    (
        "duplicate-parameter",
        "a parameter is updated twice in each step",
        "give each parameter to one optimizer, once",
        "two losses that are optimized in turn",
    ),
)

STRUCTURE = _table(
    (
        "symmetric-init",
        "units of a layer are identical and stay so: the weights began as a constant",
        "initialize at random",
        "a layer that is meant to begin at zero and has not moved yet",
    ),
    (
        "bad-init-scale",
        "the initial weights have the wrong scale: the first loss is far from that of guessing",
        "the initialization that fits the layer: Kaiming for ReLU, Xavier for tanh, 0.02 for transformers",
        "loaded weights that were trained for another task",
    ),
    (
        "dead-units",
        "units are zero for every input: they neither pass anything on nor learn",
        "a lower rate, no large negative bias, LeakyReLU or GELU",
        "inputs of one kind only",
    ),
    (
        "missing-activation",
        "two linear layers follow each other with nothing between: together they are one",
        "put an activation between them",
        "a bottleneck, or a factorized layer, on purpose",
    ),
    (
        "batch-mixing",
        "samples of a batch influence each other: a view or reshape mixes them",
        "permute or transpose instead of view, and check which dimension is the batch",
        "a layer that compares samples on purpose",
    ),
    (
        "untied-weights",
        "two weights that began as equal, an embedding's and an output layer's, are separate copies",
        "head.weight = embedding.weight, without a copy",
        "a copy on purpose",
    ),
    (
        "position-unused",
        "the order of the tokens makes no difference to the model",
        "add the positions to the embedding",
        "a bag of words on purpose",
    ),
    (
        "partial-load",
        "a checkpoint was loaded without matching: its names are not the model's",
        "look at what load_state_dict returned; strip the prefix, and load strictly",
        "a head replaced on purpose",
    ),
)

NUMERICS = _table(
    (
        "fp16-unscaled",
        "fp16 without a GradScaler: small gradients become zero",
        "torch.amp.GradScaler, or bfloat16",
        "a loss scaled by hand",
    ),
    (
        "non-finite",
        "the loss or a gradient is not a number",
        "look at the step named; clip, lower the rate, guard divisions, logarithms and roots",
        "a batch with broken samples",
    ),
    (
        "log-of-zero",
        "a logarithm, root or quotient of zero",
        "log_softmax or logsigmoid instead of log of softmax; add eps inside",
        "a broken sample",
    ),
    (
        "scaler-misuse",
        "the GradScaler is not used as it has to be: its scale never changes",
        "scaler.scale(loss).backward(), scaler.step(optimizer), scaler.update(), in each step",
        "none known",
    ),
    (
        "update-lost-to-rounding",
        "updates are smaller than the weights' precision: most weights do not change",
        "keep float32 weights and compute in bfloat16 under autocast",
        "a rate that is very small on purpose",
    ),
)

EVALUATION = _table(
    (
        "metric-not-reset",
        "a metric goes on counting from the evaluation before",
        "reset the counters at the start of each evaluation",
        "a running mean on purpose",
    ),
    (
        "partial-evaluation",
        "a metric is computed on a part of the split only",
        "score every batch of the split, and divide by the number of all samples",
        "a quick estimate on purpose",
    ),
    (
        "batch-size-dependent-metric",
        "a metric depends on the batch size it is computed with",
        "add up sums over samples or tokens, and divide once",
        "batch statistics at work in evaluation",
    ),
    (
        "constant-prediction",
        "the model predicts one class whatever it is given",
        "look at the argmax's dimension, the number of outputs, the balance of the classes",
        "a model that has not learned anything yet",
    ),
    (
        "selected-on-test",
        "the test split decides: which checkpoint is best, or when to stop",
        "decide on a validation split, and use the test split once",
        "a test split that is named validation elsewhere",
    ),
    (
        "evaluation-moves-training",
        "an evaluation changes what training does next: generators, buffers or weights",
        "give an evaluation generators of its own, and put back what it touches",
        "none known",
    ),
    (
        "random-evaluation",
        "two evaluations of the same weights differ",
        "eval mode, no sampling, the whole split; or a fixed seed",
        "sampling on purpose",
    ),
    (
        "overfitting",
        "training goes on improving while validation gets worse",
        "stop early, keep the best checkpoint, regularize, or get more data",
        "a validation split that differs from training",
    ),
)

CHECKPOINTS = _table(
    (
        "optimizer-not-saved",
        "a resumed run has lost the optimizer's memory",
        "save and load optimizer.state_dict()",
        "a restart on purpose",
    ),
    (
        "schedule-not-saved",
        "a resumed run has lost its place in the schedule",
        "save and load scheduler.state_dict(), or compute the rate from the step",
        "a new schedule on purpose",
    ),
    (
        "position-not-saved",
        "a resumed run sees other samples or other random numbers than it would have",
        "make samples and random numbers functions of the step, or save their state",
        "none known",
    ),
    (
        "weights-not-restored",
        "a resumed run has not got all its weights and buffers back",
        "save model.state_dict() whole, and load it strictly",
        "a head replaced on purpose",
    ),
    (
        "average-not-swapped",
        "the weights that are evaluated are not the averaged ones",
        "evaluate the averaged copy, and put the raw weights back behind it",
        "raw weights scored on purpose",
    ),
    (
        "torn-checkpoint",
        "a checkpoint is incomplete",
        "write to a temporary file, flush it, rename it",
        "a disk that was full",
    ),
)

RESOURCES = _table(
    (
        "replicas-differ",
        "workers that should hold the same weights do not",
        "call the wrapped module, not .module; the same seed on every worker",
        "parts that are sharded on purpose",
    ),
    (
        "slow-loader",
        "training waits for data most of the time",
        "more loader workers, cheaper transforms, data in memory",
        "a slow disk",
    ),
)

CAUSES: dict[str, Cause] = (
    DATA | TARGETS | LOSSES | MODES | GRADIENTS | UPDATES | STRUCTURE | NUMERICS | EVALUATION | CHECKPOINTS | RESOURCES
)
