"""Regular languages: strings whose every label is known exactly, from an automaton that decides any string."""

from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.corpus import Corpus, make_corpus
from loopwright.tasks.regular.exact import Optimum
from loopwright.tasks.regular.language import RegularLanguages
from loopwright.tasks.regular.network import Network
from loopwright.tasks.regular.patterns import compile_patterns
from loopwright.tasks.regular.settings import CorpusSettings

__all__ = [
    "Automaton",
    "Corpus",
    "CorpusSettings",
    "Network",
    "Optimum",
    "RegularLanguages",
    "compile_patterns",
    "make_corpus",
]
