"""Tasks: model, data, loss and evaluation of one problem each; frozen dataclasses that are their configuration."""
