"""Experiments: plain functions that return an Experiment (or a Study of several). To add one, add a function."""
