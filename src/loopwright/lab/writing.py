"""What a lab leaves behind: experiments.md, a page with pictures, and everything as JSON."""

from __future__ import annotations

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from loopwright.errors import counted
from loopwright.files import write_text
from loopwright.lab.breaking import Broken, Lab
from loopwright.lab.pictures import curves_picture
from loopwright.lines import finite
from loopwright.report.findings import lab_page
from loopwright.significance import least_pairs


def write_lab(lab: Lab, directory: Path) -> None:
    """Write the three files, and a picture for each fault below `plots/`."""
    pictures = {one.fault.name: curves_picture(one, lab.metric) for one in lab.broken}
    for name, svg in pictures.items():
        (directory / "plots").mkdir(exist_ok=True)
        write_text(directory / "plots" / f"{name}.svg", svg)
    entries = [entry(one, lab) for one in lab.broken]
    write_text(directory / "results.json", json.dumps(finite(lab.as_dict()), indent=1) + "\n")
    write_text(directory / "experiments.md", markdown(lab, entries))
    healthy = spread([trial.last for trial in lab.healthy])
    judged = len(lab.healthy) >= least_pairs()
    content = {"lab": lab, "entries": entries, "pictures": pictures, "healthy": healthy, "judged": judged}
    write_text(directory / "index.html", lab_page(content))


def entry(one: Broken, lab: Lab) -> dict[str, Any]:
    """What is told of one fault."""
    story = unwrapped(sys.modules[one.fault.inject.__module__].__doc__ or "")
    said = one.serious
    first = said[0] if said else None
    return {
        "name": one.fault.name,
        "number": one.fault.number,
        "story": story,
        "line": one.fault.line,
        "symptom": one.fault.symptom,
        "why": one.fault.why,
        "expected": " or ".join(one.fault.causes),
        "healthy": spread([trial.last for trial in one.healthy]),
        "broken": spread([trial.last for trial in one.trials]),
        "honest": spread([math.nan if trial.broke else trial.honest for trial in one.trials]),
        "state": one.state,
        "p": f"{one.p:.3g}",
        "named": f"{one.named:.0%}",
        "right": one.named > 0.5,
        "step": "before training" if one.step == 0 else "never" if one.step is None else f"at step {one.step}",
        "first": first,
        "others": [finding.cause for finding in said[1:4] if first and finding.cause != first.cause],
        "broke": next((trial.broke for trial in one.trials if trial.broke), ""),
        "metric": lab.metric,
        "seeds": len(one.trials),
    }


def unwrapped(text: str) -> str:
    """A text with one line for each paragraph."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def spread(values: list[float]) -> str:
    """The median and the extremes."""
    known = [value for value in values if value == value]
    if not known:
        return "no number"
    median, low, high = (f"{value:.4g}" for value in (statistics.median(known), min(known), max(known)))
    return median if low == high else f"{median} ({low} to {high})"


def markdown(lab: Lab, entries: list[dict[str, Any]]) -> str:
    """experiments.md: one entry for each fault."""
    lines = [
        f"# {lab.name}, broken on purpose",
        "",
        f"{counted(len(entries), 'fault')}, {counted(len(lab.healthy), 'seed')} each beside as many healthy twins, "
        f"{counted(lab.steps, 'step')}. "
        f"Validation {lab.metric} of the healthy runs: {spread([trial.last for trial in lab.healthy])}.",
        "",
        "| fault | state | p | validation " + lab.metric + " | the doctor's first cause | right in | seen |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| [{e['name']}](#{e['name']}) | {e['state']} | {e['p']} | {e['broken']} | "
            f"{e['first'].cause if e['first'] else 'nothing'} | {e['named']} | {e['step']} |"
            for e in entries
        ),
        "",
    ]
    for e in entries:
        lines += [
            f"## {e['name']}",
            "",
            e["story"],
            "",
            f"- What changed: `{e['line']}`",
            f"- Expected: {e['symptom']}.",
            f"- What happened: validation {e['metric']} {e['broken']}, healthy {e['healthy']}; measured by the healthy "
            f"task {e['honest']}. The fault {e['state']} (sign-flip test over {e['seeds']} seeds, p = {e['p']})."
            + (f" The run ended with: {e['broke']}" if e["broke"] else ""),
            f"- What the doctor said, {e['step']}: "
            + (f"**{e['first'].cause}**. {e['first'].evidence}." if e["first"] else "nothing.")
            + (f" Then {', '.join(e['others'])}." if e["others"] else ""),
            f"- Why it breaks training: {e['why']}.",
            "",
            f"![loss, metric and gradient norm](plots/{e['name']}.svg)",
            "",
        ]
    if lab.skipped:
        lines += [f"Not to be made here: {', '.join(lab.skipped)}.", ""]
    return "\n".join(lines)
