//! Nothing of its own: `tests/emitted/run` builds it for the sake of what it depends on.
