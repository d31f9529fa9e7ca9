//! Programs that parse and that do not: tables of texts.

use super::super::ast::{Ast, Node, NodeId};
use super::{parse, parse_chain, parse_expression};

/// The tree with all brackets written; only for small trees, since it recurses.
fn shown(ast: &Ast, id: NodeId) -> String {
    let show = |id: &NodeId| shown(ast, *id);
    match ast.node(id) {
        Node::Number(value) => value.to_f64().to_string(),
        Node::Name(name) => name.clone(),
        Node::Negate(a) => format!("(-{})", show(a)),
        Node::Transpose(a) => format!("{}'", show(a)),
        Node::Binary(operator, a, b) => format!("({} {operator:?} {})", show(a), show(b)),
        Node::Compare(comparison, a, b) => format!("({} {} {})", show(a), comparison.text(), show(b)),
        Node::Call { function, arguments, named } => {
            let mut list: Vec<String> = arguments.iter().map(show).collect();
            list.extend(named.iter().map(|(key, _, value)| format!("{key}={}", show(value))));
            format!("{function}({})", list.join(", "))
        }
        Node::Blocks(rows) => {
            let rows: Vec<String> = rows.iter().map(|r| r.iter().map(show).collect::<Vec<_>>().join(", ")).collect();
            format!("[{}]", rows.join("; "))
        }
        Node::Frobenius(a, b) => format!("<{}, {}>", show(a), show(b)),
        Node::Error => "ERROR".to_owned(),
    }
}

fn tree(text: &str) -> String {
    let (ast, node, diagnostics) = parse_expression(text);
    match node {
        Some(node) if diagnostics.is_empty() => shown(&ast, node),
        _ => diagnostics.iter().map(|d| d.message.as_str()).collect::<Vec<_>>().join(" | "),
    }
}

#[test]
fn operators_bind_as_in_the_contract() {
    for (text, expected) in [
        ("a - b - c", "((a Subtract b) Subtract c)"),
        ("a + b*c", "(a Add (b Multiply c))"),
        ("-a*b", "((-a) Multiply b)"),
        ("-a^2", "(-(a Power 2))"),
        ("a^b^c", "(a Power (b Power c))"),
        ("2^-a*b", "((2 Power (-a)) Multiply b)"),
        ("x.^2.^2", "(x HadamardPower (2 HadamardPower 2))"),
        ("a / b .* c", "((a Divide b) Hadamard c)"),
        ("A \\ b / s", "((A LeftDivide b) Divide s)"),
        ("a*-b", "(a Multiply (-b))"),
        ("a'*b'", "(a' Multiply b')"),
        ("a + b > c * d", "((a Add b) > (c Multiply d))"),
        ("A ⊗ B", "kron(A, B)"),
        ("2.*x", "(2 Hadamard x)"),
        ("1./x", "(1 HadamardDivide x)"),
        ("A^-1'", "(A Power (-1))'"),
        ("A^2'^3", "((A Power 2)' Power 3)"),
        ("A^-T", "(A Power (-1))'"),
        ("A⁻ᵀ", "(A Power (-1))'"),
        ("A^T*B", "(A' Multiply B)"),
        ("A^2^T", "(A Power 2)'"),
        ("a^b'", "(a Power b')"),
        ("A^(2)'", "(A Power 2')"),
        ("X⁻¹*X²", "((X Power (-1)) Multiply (X Power 2))"),
        ("A^T(x)", "(A Power T(x))"),
        ("<A, B>", "<A, B>"),
        ("<A, (b > c)> > d", "(<A, (b > c)> > d)"),
        ("<<a, b>, c>", "<<a, b>, c>"),
        ("a < b", "(a < b)"),
        ("⟨a, b > c⟩", "<a, (b > c)>"),
        ("[A, B; C, D]'", "[A, B; C, D]'"),
        ("softmax(X, axis=0)", "softmax(X, axis=0)"),
        ("f()", "f()"),
        ("(a +\n b)\n", "(a Add b)"),
        ("a +\n b", "(a Add b)"),
        ("a’ − b′", "(a' Subtract b')"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn mistakes_are_told_in_plain_words() {
    for (text, expected) in [
        ("a < b < c", "comparisons do not chain"),
        ("a b", "unexpected `b`: a product needs `*`"),
        ("(a b)", "unexpected `b`: a product needs `*`"),
        ("(a", "expected `)`, found the end of the line"),
        ("f(a]", "expected `)` to match `(`, found `]`"),
        ("<a b>", "unexpected `b`: a product needs `*`"),
        ("<a>", "expected `,`, found `>`"),
        ("a +", "expected a number, a name or a bracket, found the end of the text"),
        ("", "expected a number, a name or a bracket, found the end of the text"),
        ("a ＋ b", "unexpected character `＋` (U+FF0B)"),
        ("a $ b", "unexpected character `$` (U+0024)"),
        ("3x", "a number may not run into a name"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn one_mistake_is_one_message_and_all_are_found() {
    let (ast, diagnostics) = parse("f = sum((X*A)\ng = X $ Y\nh = a b\nX matrix(n, n)\ngrad f\ngrad g wrt h\n");
    let lines: Vec<usize> = diagnostics
        .iter()
        .map(|d| {
            1 + "f = sum((X*A)\ng = X $ Y\nh = a b\nX matrix(n, n)\ngrad f\n"[..d.span.unwrap().start as usize]
                .matches('\n')
                .count()
        })
        .collect();
    assert_eq!(lines, [1, 2, 3, 4, 5], "{diagnostics:?}");
    assert_eq!(ast.statements.len(), 5);
}

#[test]
fn deep_nesting_is_refused_or_read_and_never_crashes() {
    for (open, middle, close) in [("(", "x", ")"), ("-", "x", ""), ("sin(", "x", ")"), ("x^", "x", ""), ("[", "x", "]")]
    {
        let deep = |n: usize| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
        let (_, node, diagnostics) = parse_expression(&deep(10_000));
        assert!(node.is_some() && diagnostics.is_empty(), "{open}: {diagnostics:?}");
        let (_, node, diagnostics) = parse_expression(&deep(100_000));
        assert!(node.is_none() && diagnostics.len() == 1, "{open}");
        assert!(diagnostics[0].message.contains("nested too deeply"));
    }
    let (_, node, _) = parse_expression(&format!("x{}", "+x".repeat(100_000)));
    assert!(node.is_some());
}

#[test]
fn chains_have_all_their_parts() {
    let (ast, nodes, diagnostics) = parse_chain("df = tr(A*dX) = tr((A')'*dX)");
    assert!(diagnostics.is_empty());
    let texts: Vec<String> = nodes.iter().map(|&id| shown(&ast, id)).collect();
    assert_eq!(texts, ["df", "tr((A Multiply dX))", "tr((A'' Multiply dX))"]);
}
