"""Writes docs/src/python-api.md, the reference of the Python package, from its docstrings.

    python bindings/python/reference.py > docs/src/python-api.md
"""

from __future__ import annotations

import inspect
import re
import sys

import deepbelief
from deepbelief import datasets, plot
from deepbelief.sklearn import BernoulliRBM

CLASSES = [
    deepbelief.RBM,
    deepbelief.DeepBeliefNet,
    deepbelief.Network,
    BernoulliRBM,
    deepbelief.LogLikelihood,
    plot.Plots,
]
FUNCTIONS = [
    ("deepbelief.load", deepbelief.load),
    ("deepbelief.datasets.mnist", datasets.mnist),
    ("deepbelief.plot.tiles", plot.tiles),
]


def sections(doc: str) -> str:
    """A numpydoc docstring as Markdown: parameters as a list, examples as code."""
    lines, out, section, code = inspect.cleandoc(doc).splitlines(), [], "", False
    place = 0
    while place < len(lines):
        line = lines[place]
        if place + 1 < len(lines) and lines[place + 1] and set(lines[place + 1]) == {"-"}:
            section, place = line, place + 2
            out += ["", f"**{section}**", ""]
            continue
        if line.startswith((">>>", "...")) or code and line:
            out += [] if code else ["```pycon"]
            code = True
            out.append(line)
        elif code:
            out += ["```", line]
            code = False
        elif section in ("Parameters", "Attributes", "Returns") and line and not line.startswith(" "):
            name, _, kind = line.partition(" : ")
            out.append(f"- `{name}`" + (f": {kind}" if kind else ""))
        else:
            out.append(re.sub(r"``([^`]+)``", r"`\1`", line))
        place += 1
    return "\n".join(out + (["```"] if code else []))


def signature(name: str, what: object) -> str:
    """The call, without annotations."""
    parameters = inspect.signature(what).parameters.values()
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters if p.name != "self"]
    return f"{name}{inspect.Signature(plain)}"


def methods(cls: type) -> list[tuple[str, object]]:
    """Public methods and those of the package's own bases, in the order of their names."""
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("deepbelief"):
            found.update({n: f for n, f in vars(base).items() if inspect.isfunction(f) and n[0] != "_"})
    return sorted(found.items())


def main() -> None:
    """Print the page."""
    out = [
        "# Reference of the Python package",
        "",
        "Made from the docstrings by `bindings/python/reference.py`; [Python](python.md) is the guide.",
    ]
    for cls in CLASSES:
        home = "deepbelief.sklearn" if cls is BernoulliRBM else "deepbelief"
        home = "deepbelief.plot" if cls is plot.Plots else home
        made_by_others = cls in (deepbelief.Network, deepbelief.LogLikelihood)
        call = cls.__name__ if made_by_others else signature(cls.__name__, cls.__init__)
        out += ["", f"## {home}.{cls.__name__}", "", f"```python\n{call}\n```", "", sections(cls.__doc__ or "")]
        for name, method in methods(cls):
            doc = sections(inspect.getdoc(method) or "")
            out += ["", f"### {cls.__name__}.{name}", "", f"```python\n{signature(name, method)}\n```", "", doc]
    for name, function in FUNCTIONS:
        doc = sections(inspect.getdoc(function) or "")
        out += ["", f"## {name}", "", f"```python\n{signature(name.split('.')[-1], function)}\n```", "", doc]
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
