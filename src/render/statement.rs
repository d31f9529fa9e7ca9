//! A rule's statement or a note as prose with formulas in it: `dF = tr(G'dX), so G is the gradient` has two. Such a text
//! abbreviates as books do, `AB` for a product and `d f(X)` for a differential. What does not read as a formula stays prose.

use super::notation::Notation;
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Words.
    Prose(String),
    /// A formula.
    Formula(Notation),
}

/// The sentence with its formulas read.
pub fn inline(sentence: &str) -> Vec<Inline> {
    let tokens = tokens(sentence);
    let mut out: Vec<Inline> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let end = at + formula_length(&tokens[at..], at.checked_sub(1).map(|i| tokens[i].as_str()));
        let run = &tokens[at..end];
        let last = run.iter().rposition(|token| token != " ").map_or(0, |i| i + 1);
        match Parser::whole(&run[..last]) {
            Some(formula) => out.push(Inline::Formula(formula)),
            None => prose(&mut out, &run[..last].concat().replace('\'', "′")),
        }
        prose(&mut out, &run[last..].concat());
        at = end;
        if at < tokens.len() {
            prose(&mut out, &tokens[at]);
            at += 1;
        }
    }
    out
}

fn prose(out: &mut Vec<Inline>, text: &str) {
    match out.last_mut() {
        _ if text.is_empty() => {}
        Some(Inline::Prose(last)) => last.push_str(text),
        _ => out.push(Inline::Prose(text.to_owned())),
    }
}

/// Words with inner hyphens, numbers, operators, spaces, single signs.
fn tokens(sentence: &str) -> Vec<String> {
    let characters: Vec<char> = sentence.chars().collect();
    let at = |i: usize| characters.get(i).copied().unwrap_or(' ');
    let mut out: Vec<String> = Vec::new();
    let mut i = 0;
    while i < characters.len() {
        let start = i;
        let c = at(i);
        i += 1;
        if c.is_alphabetic() {
            let hyphen = |i: usize| at(i) == '-' && i > start + 1 && at(i + 1).is_lowercase();
            while at(i).is_alphanumeric() || at(i) == '_' || hyphen(i) {
                i += 1;
            }
            if characters[start..i] == ['f'] && at(i) == '*' {
                i += 1;
            }
        } else if c.is_ascii_digit() {
            let inside =
                |i: usize| at(i).is_ascii_alphanumeric() || at(i) == '_' || at(i) == '.' && at(i + 1).is_ascii_digit();
            while inside(i) {
                i += 1;
            }
        } else if c == '.' && at(i) == '.' {
            while at(i) == '.' {
                i += 1;
            }
        } else if matches!((c, at(i)), ('.', '*' | '/' | '^') | ('<' | '>' | '=', '=')) {
            i += 1;
        }
        out.push(characters[start..i].iter().collect());
    }
    out
}

/// How many tokens from here belong to one formula: up to a word, or a sign of the sentence outside brackets.
fn formula_length(tokens: &[String], before: Option<&str>) -> usize {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" if depth == 0 => return i,
            "'" if tokens.get(i + 1).is_some_and(|next| next == "s") => return i,
            ")" | "]" => depth -= 1,
            "," | ":" | ";" | "." | "<" | ">" | " " if depth == 0 && i == 0 => return 0,
            "," | ":" | ";" | "." | "<" | ">" if depth == 0 => return i,
            _ => {
                let before = if i == 0 { before } else { Some(tokens[i - 1].as_str()) };
                if is_word(&tokens[i..], before) {
                    return i;
                }
            }
        }
    }
    tokens.len()
}

/// Whether a token is a word of the sentence: no letter, function, differential or index.
fn is_word(tokens: &[String], before: Option<&str>) -> bool {
    let word = tokens[0].as_str();
    let next = |i: usize| tokens.get(i).map_or("", String::as_str);
    let mut letters = word.chars();
    let Some(first) = letters.next().filter(|c| c.is_alphabetic()) else { return false };
    let rest = letters.as_str();
    if rest.is_empty() {
        // The article, and the letter behind an apostrophe.
        let article = word == "a" && next(1) == " " && next(2).len() > 1 && next(2).starts_with(char::is_lowercase);
        return article || word == "s" && before == Some("'");
    }
    let differential = first == 'd' && rest.starts_with(char::is_uppercase);
    let index = rest.starts_with('_') || rest.chars().all(|c| c.is_ascii_digit());
    let known = matches!(word, "ones" | "phi" | "pi" | "f*") || is_product(word);
    let function = Function::lookup(word).is_some() && next(1) == "(";
    !(differential || index || known || function)
}

/// Matrices side by side: `AB`.
fn is_product(word: &str) -> bool {
    word.len() == 2 && word.chars().all(|c| c.is_ascii_uppercase())
}

/// Reads a formula by precedence; the texts are rules and notes, which are short.
struct Parser<'a> {
    tokens: Vec<&'a str>,
    at: usize,
}

impl Parser<'_> {
    fn whole(tokens: &[String]) -> Option<Notation> {
        let tokens = tokens.iter().map(String::as_str).filter(|token| *token != " ").collect();
        let mut parser = Parser { tokens, at: 0 };
        let first = parser.sum()?;
        let mut sides = vec![first];
        while parser.take("=") {
            sides.push(parser.sum()?);
        }
        let whole = if sides.len() == 1 { sides.remove(0) } else { Notation::Equation(sides) };
        (parser.at == parser.tokens.len()).then_some(whole)
    }

    fn peek(&self) -> &str {
        self.tokens.get(self.at).copied().unwrap_or_default()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn comparison(&mut self) -> Option<Notation> {
        let left = self.sum()?;
        let comparison = match self.peek() {
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessEqual,
            "==" => Comparison::Equal,
            _ => return Some(left),
        };
        self.at += 1;
        Some(Notation::Compare(comparison, Box::new(left), Box::new(self.sum()?)))
    }

    fn sum(&mut self) -> Option<Notation> {
        let mut minus = self.take("-");
        let mut terms = Vec::new();
        loop {
            terms.push((minus, self.product()?));
            minus = match self.peek() {
                "+" => false,
                "-" => true,
                _ => break,
            };
            self.at += 1;
        }
        Some(match &terms[..] {
            [(false, only)] => only.clone(),
            [(true, only)] => Notation::Negative(Box::new(only.clone())),
            _ => Notation::Sum(terms),
        })
    }

    fn product(&mut self) -> Option<Notation> {
        let mut left = self.power()?;
        loop {
            let operator = self.peek();
            left = match operator {
                ".*" => {
                    self.at += 1;
                    let right = self.power()?;
                    match left {
                        Notation::Hadamard(mut list) => {
                            list.push(right);
                            Notation::Hadamard(list)
                        }
                        left => Notation::Hadamard(vec![left, right]),
                    }
                }
                "./" | "/" => {
                    let by_elements = operator == "./";
                    self.at += 1;
                    let (above, below) = (Box::new(left), Box::new(self.power()?));
                    if by_elements {
                        Notation::HadamardQuotient(above, below)
                    } else {
                        Notation::Quotient(above, below)
                    }
                }
                "" | "+" | "-" | "=" | ")" | "]" | "," | ";" | ">" | "<" | "<=" | ">=" | "==" => return Some(left),
                _ => {
                    self.take("*");
                    let right = self.power()?;
                    match left {
                        Notation::Product(mut list) => {
                            list.push(right);
                            Notation::Product(list)
                        }
                        left => Notation::Product(vec![left, right]),
                    }
                }
            };
        }
    }

    fn power(&mut self) -> Option<Notation> {
        let base = self.postfix()?;
        let by_elements = match self.peek() {
            ".^" => true,
            "^" => false,
            _ => return Some(base),
        };
        self.at += 1;
        let (base, exponent) = (Box::new(base), Box::new(self.postfix()?));
        Some(if by_elements { Notation::HadamardPower(base, exponent) } else { Notation::Power(base, exponent) })
    }

    fn postfix(&mut self) -> Option<Notation> {
        let mut operand = self.operand()?;
        while self.take("'") {
            // AB' is A times B'.
            operand = match operand {
                Notation::Grouped(inner) => Notation::Transpose(inner),
                other => Notation::Transpose(Box::new(other)),
            };
        }
        Some(match operand {
            Notation::Grouped(inner) => *inner,
            other => other,
        })
    }

    fn operand(&mut self) -> Option<Notation> {
        let token = self.tokens.get(self.at).copied()?;
        self.at += 1;
        let name = |text: &str| Notation::Name(text.to_owned());
        if let Some(size) = token.strip_prefix("1_") {
            return Some(Notation::Ones(Box::new(name(size)), None));
        }
        if token.starts_with(|c: char| c.is_ascii_digit()) {
            return Number::parse(token).map(Notation::Number);
        }
        match token {
            "(" => {
                let inner = self.comparison()?;
                self.take(")").then(|| Notation::Grouped(Box::new(inner)))
            }
            "[" => self.blocks(),
            "..." => Some(Notation::Elided),
            "ones" if self.peek() != "(" => Some(Notation::Ones(Box::new(name("")), None)),
            "pi" => Some(Notation::Pi),
            "d" if !matches!(self.peek(), "" | "'" | "=") => {
                let inner = self.postfix()?;
                Some(Notation::DifferentialOf(Box::new(inner)))
            }
            _ if token.starts_with('d') && token[1..].starts_with(char::is_uppercase) => {
                Some(Notation::Differential(token[1..].to_owned()))
            }
            _ if is_product(token) => {
                // The second letter takes what follows it: AB' is A times B'.
                let (a, b) = token.split_at(1);
                let mut second = name(b);
                while self.take("'") {
                    second = Notation::Transpose(Box::new(second));
                }
                Some(Notation::Product(vec![name(a), second]))
            }
            _ if !token.starts_with(char::is_alphabetic) => None,
            _ if self.peek() == "(" => {
                let known = ["f", "f*", "phi"].into_iter().find(|known| *known == token);
                match known.or_else(|| Function::lookup(token).map(Function::name)) {
                    Some(function) => self.call(function),
                    None => Some(name(token)),
                }
            }
            _ => Some(name(token)),
        }
    }

    fn call(&mut self, function: &'static str) -> Option<Notation> {
        self.take("(");
        let mut arguments = vec![self.sum()?];
        while self.take(",") {
            arguments.push(self.sum()?);
        }
        let call = match (function, arguments.len()) {
            ("inv", 1) => Notation::Inverse(Box::new(arguments.remove(0))),
            ("sqrt", 1) => Notation::Root(Box::new(arguments.remove(0))),
            ("eye", 1) => Notation::Identity(Box::new(arguments.remove(0))),
            _ => Notation::Call { function, arguments, columns: false },
        };
        self.take(")").then_some(call)
    }

    fn blocks(&mut self) -> Option<Notation> {
        let mut rows = vec![vec![self.sum()?]];
        loop {
            if self.take(",") {
                let block = self.sum()?;
                rows.last_mut()?.push(block);
            } else if self.take(";") {
                rows.push(vec![self.sum()?]);
            } else {
                return self.take("]").then_some(Notation::Blocks(rows));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::unicode;
    use super::{Inline, inline};

    /// The sentence with formulas in Unicode between bars.
    fn marked(sentence: &str) -> String {
        let parts = inline(sentence).into_iter().map(|part| match part {
            Inline::Prose(text) => text,
            Inline::Formula(formula) => format!("|{}|", unicode(&formula)),
        });
        parts.collect()
    }

    #[test]
    fn formulas_are_found_in_sentences() {
        assert_eq!(marked("dF = tr(G'dX), so G is the gradient"), "|dF = tr(Gᵀ·dX)|, so |G| is the gradient");
        assert_eq!(marked("tr(A) = tr(A'), (AB)' = B'A'"), "|tr(A) = tr(Aᵀ)|, |(A·B)ᵀ = Bᵀ·Aᵀ|");
        assert_eq!(marked("d relu(X) = (X > 0) .* dX"), "|d(relu(X)) = [X > 0] ⊙ dX|");
        assert_eq!(marked("1_N b repeats b: its adjoint sums"), "|1_N·b| repeats |b|: its adjoint sums");
        assert_eq!(marked("half of both at a tie"), "half of both at a tie");
        assert_eq!(marked("the one-hot rows, the d's"), "the one-hot rows, the |d|'s");
    }

    #[test]
    fn every_rule_that_states_an_equation_reads_as_one() {
        for id in crate::rules::RuleId::all() {
            let rule = id.rule();
            let equations = inline(&rule.statement)
                .into_iter()
                .filter(|part| matches!(part, Inline::Formula(super::Notation::Equation(_))))
                .count();
            // One rule has words on its right side.
            let expected = rule.statement.contains(" = ") && rule.id != "expm";
            assert_eq!(equations > 0, expected, "{}", rule.statement);
        }
    }
}
