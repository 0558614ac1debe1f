"""Tasks: model, data, loss and evaluation of one problem each; a frozen dataclass whose fields are its configuration."""
