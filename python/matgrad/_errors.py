"""Errors about texts."""

from __future__ import annotations


class MatgradError(ValueError):
    """A program, formula or document is wrong, or asks for what is not covered.

    The text of the exception is the message with the line and the place in it, as the command line shows it.

    Attributes
    ----------
    line : int or None
        The line of the first mistake, from 1, within the text that was given; ``None`` where it has no place.
    column : int or None
        Its column, from 1, in characters.
    hint : str or None
        What would be right.
    messages : list of str
        All mistakes of the text, each in a sentence, in the order of their places.

    Examples
    --------
    >>> import matgrad
    >>> try:
    ...     matgrad.grad("a'*X*b +", wrt="X")
    ... except matgrad.MatgradError as error:
    ...     print(error)
    expected a number, a name or a bracket, found the end of the text
     --> expression:1:9
      |
    1 | a'*X*b +
      |         ^
    """

    line: int | None
    column: int | None
    hint: str | None
    messages: list[str]

    def __init__(
        self,
        text: str,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
        messages: list[str] | None = None,
    ) -> None:
        super().__init__(text)
        self.line = line
        self.column = column
        self.hint = hint
        self.messages = [text] if messages is None else messages

    def __reduce__(self) -> tuple[type[MatgradError], tuple[object, ...]]:
        return (type(self), (self.args[0], self.line, self.column, self.hint, self.messages))
