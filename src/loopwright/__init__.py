"""Loopwright: the training loop you own, that proves itself.

The parts, from the ground up: `protocols`, `errors`, `seeding`; `core` (the loop), `store` (checkpoints), `journal`
(the run directory), `models`, `data`, `losses`, `metrics`, `initializers`, `config`; `tasks`; `report`;
`experiments`; `cli`.
"""

__version__ = "0.1.0"
