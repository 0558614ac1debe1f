"""Regular expressions to minimal automata: they mean what they mean to Python, and everything else is refused."""

from __future__ import annotations

import itertools
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.errors import ConfigError
from loopwright.tasks.packages import require_packages
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.patterns import compile_patterns

PATTERNS = {
    "a+": "a",
    "a*b*": "ab",
    "(a|b)*c": "abc",
    "(ab)*": "ab",
    "(b*ab*a)*b*": "ab",
    "(b*ab*ab*a)*b*": "ab",
    "(a|ba)*b?": "ab",
    "(a|b)+": "ab",
    "ab": "ab",
    "": "ab",
    "a{0}b{,2}": "ab",
    "(?:a{2,3}|b{2,}){1,2}": "ab",
    "[ab]{03}.*": "abc",
    "a?(b|)(c{0}|a)c{,}": "abc",
    "(01|10){2}1?": "01",
}
SIZES = {"a+": 3, "a*b*": 3, "(a|b)+": 3, "ab": 4, "(ab)*": 3, "(a|b)*c": 3, "(b*ab*a)*b*": 3, "(b*ab*ab*a)*b*": 4}
THREE = [("ab", 1), ("a*b*", 2), ("b.*", 3), ("aba", 1)]


def one(pattern: str, alphabet: str = "ab") -> Automaton:
    return compile_patterns([(pattern, 1)], alphabet)


def refused(pairs: list[tuple[str, int]] | str, alphabet: str = "ab") -> str:
    with pytest.raises(ConfigError) as caught:
        compile_patterns([(pairs, 1)] if isinstance(pairs, str) else pairs, alphabet)
    return str(caught.value)


def words(alphabet: str, longest: int) -> list[str]:
    """Every string to the length `longest`."""
    return ["".join(word) for length in range(longest + 1) for word in itertools.product(alphabet, repeat=length)]


def classified(automaton: Automaton, texts: list[str]) -> list[int]:
    """The classes of many strings, by `traces`."""
    symbols = np.full((len(texts), max(map(len, texts))), -1, dtype=np.int8)
    for row, text in zip(symbols, texts, strict=True):
        row[: len(text)] = automaton.encode(text)
    return automaton.class_of[automaton.traces(symbols)[:, -1]].tolist()


def matched(pairs: list[tuple[str, int]], texts: list[str]) -> list[int]:
    """The classes of many strings as Python's `re` has it."""
    compiled = [(re.compile(pattern), number) for pattern, number in pairs]
    return [next((number for match, number in compiled if match.fullmatch(text)), 0) for text in texts]


@pytest.mark.parametrize(("pattern", "alphabet"), PATTERNS.items())
def test_an_automaton_agrees_with_python_on_every_string_to_length_10(pattern, alphabet):
    texts = words(alphabet, 10)
    assert classified(one(pattern, alphabet), texts) == matched([(pattern, 1)], texts)


@pytest.mark.parametrize(("pattern", "alphabet"), PATTERNS.items())
def test_an_automaton_agrees_with_python_on_random_strings_to_length_200(pattern, alphabet):
    automaton, generator = one(pattern, alphabet), random.Random(7)
    texts = ["".join(generator.choices(alphabet, k=generator.randrange(201))) for _ in range(200)]
    # Random strings are hardly ever in a language: walk the automaton as well, mostly where it goes on.
    for _ in range(200):
        state, text = 0, ""
        for _ in range(generator.randrange(201)):
            symbol = generator.choice(alphabet)
            if automaton.step(state, symbol) != automaton.reject or generator.random() < 0.01:
                state, text = automaton.step(state, symbol), text + symbol
        texts.append(text)
    classes = classified(automaton, texts)
    assert classes == matched([(pattern, 1)], texts)
    assert 1 in classes


@pytest.mark.parametrize(("pattern", "size"), SIZES.items())
def test_known_languages_have_their_known_sizes(pattern, size):
    automaton = one(pattern, PATTERNS[pattern])
    assert len(automaton.transitions) == size


def expressions() -> st.SearchStrategy[str]:
    """Expressions of the whole syntax over the symbols a and b."""
    atoms = st.sampled_from(["a", "b", ".", "[ab]", "[b]", "()", "(?:)"])
    repetitions = st.sampled_from(["", "*", "+", "?", "{0}", "{2}", "{1,2}", "{1,}", "{,2}", "{,}"])
    return st.recursive(
        st.builds("{}{}".format, atoms, repetitions),
        lambda inner: st.one_of(
            st.builds("{}{}".format, inner, inner),
            st.builds("{}|{}".format, inner, inner),
            st.builds("({}){}".format, inner, repetitions),
            st.builds("(?:{}|{}){}".format, inner, inner, repetitions),
        ),
        max_leaves=7,
    )


@given(st.lists(expressions(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_random_expressions_agree_with_python_and_are_minimal(patterns):
    pairs = [(pattern, 1) for pattern in patterns]
    automaton, texts = compile_patterns(pairs, "ab"), words("ab", 6)
    assert classified(automaton, texts) == matched(pairs, texts)
    assert_minimal(automaton)


def assert_minimal(automaton: Automaton) -> None:
    """The start is state 0, all are reached, in breadth-first order, and for any two some string tells them apart."""
    order = [0]
    for state in order:
        order += [target for target in dict.fromkeys(automaton.transitions[state]) if target not in order]
    assert [state for state in order if state != automaton.reject] == list(range(automaton.reject))
    told_apart = {
        pair
        for pair in itertools.combinations(range(len(automaton.transitions)), 2)
        if automaton.classes[pair[0]] != automaton.classes[pair[1]]
    }
    for _ in automaton.transitions:
        for pair in itertools.combinations(range(len(automaton.transitions)), 2):
            targets = zip(*(automaton.transitions[state] for state in pair), strict=True)
            if any(tuple(sorted(both)) in told_apart for both in targets):
                told_apart.add(pair)
    size = len(automaton.transitions)
    assert len(told_apart) == size * (size - 1) // 2


@pytest.mark.parametrize("pairs", [*[[(pattern, 1)] for pattern in PATTERNS], THREE, [("a*", 1), ("b*", 2)]])
def test_automata_are_minimal_by_class(pairs):
    assert_minimal(compile_patterns(pairs, "abc01"))


def test_greenery_builds_machines_of_the_same_size():
    from greenery import parse

    for pattern in ("(b*ab*ab*a)*b*", "(a|b)*a(a|b){4}", "(a|ba)*b?"):
        theirs = parse(f"({pattern})|c").to_fsm().reduce()
        assert len(one(f"({pattern})|c", "abc").transitions) == len(theirs.states)


@pytest.mark.parametrize(
    ("first", "second"),
    [("a*", "(a+)?"), ("(a|b)*", "(a*b*)*"), ("aa*", "a+"), ("ab|ac|cb", "a(b|c)|cb"), ("(ab)*a", "a(ba)*")],
)
def test_equal_languages_give_equal_automata(first, second):
    assert one(first, "abc") == one(second, "abc")
    assert hash(one(first, "abc")) == hash(one(second, "abc"))
    assert one(first, "abc") != one(first + "b", "abc")


def test_the_automaton_of_a_pattern_is_written_out_here():
    automaton = one("a*b+")
    assert automaton.transitions == ((0, 1), (2, 1), (2, 2))
    assert automaton.classes == (0, 1, 0)
    assert one("a*b+", "ba").transitions == ((1, 0), (1, 2), (2, 2))


def test_the_first_pattern_that_matches_gives_the_class():
    automaton = compile_patterns(THREE, "ab")
    texts = words("ab", 8)
    assert classified(automaton, texts) == matched(THREE, texts)
    assert [automaton.classify(text) for text in ("ab", "aab", "b", "ba", "aba", "abab")] == [1, 2, 2, 3, 1, 0]
    assert compile_patterns(THREE[::-1], "ab").classify("b") == 3


def test_states_of_different_classes_are_kept_apart():
    assert len(compile_patterns([("a", 1), ("b", 1)], "ab").transitions) == 3
    assert len(compile_patterns([("a", 1), ("b", 2)], "ab").transitions) == 4


def test_patterns_are_kept_by_class():
    assert compile_patterns(THREE, "ab").patterns == ("ab|aba", "a*b*", "b.*")


@pytest.mark.parametrize(
    ("pattern", "place", "reason"),
    [
        ("a*?", 2, "lazy and possessive"),
        ("a*+", 2, "lazy and possessive"),
        ("a{2}?b", 4, "lazy and possessive"),
        ("a??", 2, "lazy and possessive"),
        ("a{1,2}+", 6, "lazy and possessive"),
        ("^a", 0, "leave the anchor out"),
        ("ab$", 2, "leave the anchor out"),
        (r"a\d", 1, "escapes and backreferences are not in the syntax"),
        (r"(a)\1", 3, "escapes and backreferences are not in the syntax"),
        ("a(?=b)", 1, "only (?: )"),
        ("(?!b)", 0, "only (?: )"),
        ("(?<=a)b", 0, "only (?: )"),
        ("(?i)a", 0, "only (?: )"),
        ("(?P<x>a)", 0, "only (?: )"),
        ("(?>a)", 0, "only (?: )"),
        ("b[^a]", 1, "no ranges, no negation"),
        ("[a-b]", 0, "no ranges, no negation"),
        ("[]a]", 0, "no ranges, no negation"),
        ("[[a]]", 0, "no ranges, no negation"),
        ("[a", 0, "no ranges, no negation"),
        ("a]", 1, "no ranges, no negation"),
        ("a{", 1, "a brace that is no repetition"),
        ("a{}", 1, "a brace that is no repetition"),
        ("a{b}", 1, "a brace that is no repetition"),
        ("a{1,2", 1, "a brace that is no repetition"),
        ("a}", 1, "a brace that is no repetition"),
        ("a b", 1, "a space"),
        ("ab_", 2, "'_' is not in the syntax"),
        ("a\n", 1, r"'\n' is not in the syntax"),
        ("abc", 2, "symbol 'c' is not in the alphabet 'ab'"),
        ("a[abc]", 4, "symbol 'c' is not in the alphabet 'ab'"),
        ("a)", 1, "unbalanced parenthesis"),
        ("b(a", 1, "missing ), unterminated subpattern"),
        ("a|*", 2, "nothing to repeat"),
        ("{2}", 0, "nothing to repeat"),
        ("a**", 2, "multiple repeat"),
        ("a{2}{3}", 4, "multiple repeat"),
        ("a{3,2}", 2, "min repeat greater than max repeat"),
        ("a{100000}", 1, "a repetition has 500 at most"),
        ("a{,99999999999999999999}", 1, "a repetition has 500 at most"),
        ("(" * 51 + "a" + ")" * 51, 50, "at most 50 groups within groups"),
    ],
)
def test_what_is_not_in_the_syntax_is_refused_and_its_place_shown(pattern, place, reason):
    first, shown, caret = refused(pattern).split("\n")
    assert first.startswith(f"place {place} of the pattern: ")
    assert reason in first
    assert shown == "    " + pattern.replace("\n", "�")
    assert caret == " " * (4 + place) + "^"


def test_absurd_sizes_are_refused_in_a_line_that_names_the_limit():
    limits = {
        "(a|b)*a(a|b){20}": "the patterns need more than 1000 states; shorten their repetitions",
        "(a|b)*((a|b)*a(a|b){20})?a": "the patterns need more than 1000 states; shorten their repetitions",
        "((a{100}){100}){100}": "the patterns, repetitions written out, are longer than 5000 places; shorten them",
        "a{400}b{400}a{400}": "the patterns need more than 1000 states; shorten their repetitions",
        "a" * 1001: "pattern 'aaaaaaaaaaaaaaaaaaaa'… has 1001 characters: the most is 1000",
    }
    assert {pattern: refused(pattern) for pattern in limits} == limits


def test_what_is_just_within_the_limits_is_made():
    assert len(one("a{500}").transitions) == 502
    assert len(one("(a|b)*a(a|b){8}").transitions) == 513
    assert one("(" * 50 + "a" + ")" * 50) == one("a")


def test_a_class_without_strings_names_the_patterns_that_take_them():
    assert refused([("a*b*", 1), ("ab", 2)]) == (
        "class 2 has no strings: earlier patterns match all of 'ab': 'a*b*' (class 1); put it first or drop it"
    )
    message = refused([("a", 1), ("b", 2), ("a*", 3), ("a|b", 4)])
    assert "class 4 has no strings: earlier patterns match all of 'a|b': 'a' (class 1), 'b' (class 2)" in message


def test_a_pattern_without_strings_of_its_own_is_no_error_where_its_class_has_some():
    assert compile_patterns([("a*", 1), ("aa", 2), ("b", 2)], "ab") == compile_patterns([("a*", 1), ("b", 2)], "ab")


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "no patterns: an automaton needs one (pattern, class) pair at least"),
        ([("a", 0)], "the patterns have the classes 0: classes are 1, 2, … without a gap"),
        ([("a", -1), ("b", 1)], "the patterns have the classes -1, 1: classes are 1, 2, … without a gap"),
        ([("a", 1), ("b", 3)], "the patterns have the classes 1, 3: classes are 1, 2, … without a gap"),
        ([("a", 2)], "the patterns have the classes 2: classes are 1, 2, … without a gap"),
    ],
)
def test_classes_are_one_two_and_so_on(pairs, message):
    assert refused(pairs) == message


@pytest.mark.parametrize(
    ("alphabet", "message"),
    [
        ("", "alphabet '': it needs one symbol at least, each of them once"),
        ("aba", "alphabet 'aba': it needs one symbol at least, each of them once"),
        ("a.", "alphabet 'a.': '.' is neither a letter nor a digit"),
        ("a_", "alphabet 'a_': '_' is neither a letter nor a digit"),
        ("a ", "alphabet 'a ': ' ' is neither a letter nor a digit"),
    ],
)
def test_an_alphabet_is_of_letters_and_digits_each_once(alphabet, message):
    assert message in refused("a", alphabet)


def test_a_missing_package_is_named_with_its_extra():
    with pytest.raises(ConfigError, match=r"no_such_package not installed; pip install 'loopwright\[regular\]'"):
        require_packages("no_such_package", extra="regular")
