"""What a comparison says, section by section; the page and the markdown file only lay it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loopwright.comparing import chapters
from loopwright.comparing.advice import Suggestion, caveats, suggestions
from loopwright.comparing.blocks import Block, Bullets, Drawings, Text
from loopwright.comparing.comparison import Comparison
from loopwright.comparing.lessons import Lesson, lesson_of
from loopwright.comparing.numbers import VERDICTS, headline, what_happened, what_it_costs, word
from loopwright.comparing.overlays import figures
from loopwright.comparing.spreads import scatter_drawings
from loopwright.errors import counted, some

TONES = {"better": "good", "worse": "bad", "equal": "calm", "open": "warn", "unjudged": "warn"}


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """A comparison as it is read. `pills`: text and tone (good | warn | bad | calm) of the summary."""

    title: str
    pills: list[tuple[str, str]]
    sentence: str
    sections: list[Section]
    lesson: Lesson | None
    suggestions: list[Suggestion]
    caveats: list[str]

    @property
    def drawings(self) -> list[Drawings]:
        """All pictures."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Drawings)]


def document(comparison: Comparison, command: Sequence[str] = (), *, pictures: bool = True) -> Document:
    """Everything that is said of a comparison. `command`: the words that made it. Without `pictures` none is drawn."""
    lesson = lesson_of(comparison.subjects)
    advice, careful = suggestions(comparison, lesson), caveats(comparison)
    scatters = [Drawings([one]) for one in scatter_drawings(comparison)] if pictures else []
    who = [
        Section("Baseline", chapters.of_group(comparison, comparison.baseline)),
        Section("Variants" if len(comparison.contrasts) > 1 else "Variant", chapters.variants(comparison)),
    ]
    many = len(comparison.contrasts) > 1  # then what came out is read before who took part
    sections = [
        Section("About these runs", [Bullets(list(comparison.notes))] if comparison.notes else []),
        Section("What changed", chapters.what_changed(comparison)),
        Section("Is it a controlled comparison?", chapters.control(comparison)),
        Section("Goal", [Text(chapters.goal(comparison))]),
        *([] if many else who),
        Section("What happened", what_happened(comparison)),
        Section("Curves", [Drawings(figures(comparison))] if pictures else []),
        Section("Fields that were varied", list(scatters)),
        Section("Trade-offs: quality and cost", what_it_costs(comparison)),
        *(who if many else []),
        Section("One failed run and its lesson", chapters.failed(lesson)),
        Section("Next experiment", chapters.following(advice)),
        Section("Caveats", [Bullets(careful)]),
        Section("Code", chapters.code(comparison)),
        Section("Commands and files", chapters.commands(comparison, command)),
    ]
    return Document(
        title(comparison),
        pills(comparison),
        headline(comparison),
        [section for section in sections if section.blocks],
        lesson,
        advice,
        careful,
    )


def title(comparison: Comparison) -> str:
    """What is compared with what."""
    others = [contrast.group.label for contrast in comparison.contrasts]
    names, label = {subject.record.experiment for subject in comparison.subjects}, comparison.baseline.label
    # A group whose label would be too long is called after its first run, which says it already.
    own = next((f"{name}: " for name in names if len(names) == 1 and not label.startswith(str(name))), "")
    if not others:
        return f"{own}{label}: {counted(len(comparison.subjects), 'run')}"
    if len(others) > 2:
        return f"{own}{label} and {len(others)} others"
    return f"{own}{some(others, 2)} against {label}"


def pills(comparison: Comparison) -> list[tuple[str, str]]:
    """The summary in a few words."""
    if not comparison.contrasts:
        return [("one setting", "calm")]
    found = [("controlled comparison", "good") if comparison.controlled else ("not a controlled comparison", "bad")]
    if len(comparison.contrasts) == 1 and (judgement := comparison.deciding.judgements[1]) is not None:
        # "within noise" is the outcome of a test: where none was done, the page says that it cannot be told.
        said = VERDICTS[judgement.verdict] if judgement.p is not None else word(judgement)
        found.append((said, TONES[judgement.verdict]))
    return found
