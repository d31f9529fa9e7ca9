//! Text to [`Ast`](ast::Ast): tokens, then a parser that never recurses, so that depth costs memory and nothing else.

pub mod ast;
