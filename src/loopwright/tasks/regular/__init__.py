"""Regular languages: strings whose every label is known exactly, from an automaton that decides any string."""
