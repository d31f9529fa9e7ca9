"""Derivations, and how pages stand in a notebook."""

from __future__ import annotations

from matgrad import _matgrad


class Derivation:
    """Lines that lead to results. It shows itself: as text in a terminal, as a foldable page in a notebook."""

    def __init__(self, answer: _matgrad.Answer) -> None:
        self._answer = answer

    def to_text(self, check: bool = True) -> str:
        """As text in the language; with what a check found where `check` is set."""
        return self._answer.render("text", check)

    def to_unicode(self, check: bool = True) -> str:
        """As text in a book's signs."""
        return self._answer.render("unicode", check)

    def to_latex(self, check: bool = True) -> str:
        """As a fragment of a LaTeX document."""
        return self._answer.render("latex", check)

    def to_markdown(self, check: bool = True) -> str:
        """As Markdown with LaTeX between dollars."""
        return self._answer.render("markdown", check)

    def to_html(self, check: bool = True) -> str:
        """As one HTML document."""
        return self._answer.render("html", check)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_unicode(check=False)

    def _repr_html_(self) -> str:
        names = ", ".join(f"{kind} of {of}" for kind, of in dict.fromkeys((k, o) for k, o, _, _ in self._answer.results()))
        return folded(f"Derivation: {names}", self.to_html())


def escape(text: str, quote: bool = True) -> str:
    import html

    return html.escape(text, quote)


def folded(title: str, document: str) -> str:
    """A document in a frame of its own, so that its style and the notebook's do not meet."""
    frame = escape(document, quote=True)
    return (
        f'<details open><summary>{escape(title)}</summary><iframe srcdoc="{frame}" '
        'style="width: 100%; height: 34rem; border: 1px solid #8884; border-radius: 4px; resize: vertical" '
        f'title="{escape(title, quote=True)}"></iframe></details>'
    )
