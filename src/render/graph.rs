//! The program of an answer as a graph: variables, definitions, the adjoints that flow back, and the results, each with its
//! formula and shape, and what is read by what. An answer comes in; nodes in columns and edges go out. Where on a page a node
//! stands, and how it is drawn, is not decided here.

use std::collections::HashMap;

use super::build::{dimension, notation};
use super::mathml::{escaped, spelled};
use super::notation::Notation;
use super::steps::{left_side, partial, second_partial};
use super::text::{text, unicode};
use super::typeset::{Piece, typeset};
use crate::answer::{Answer, Outcome};
use crate::dimension::{DimId, Shape};
use crate::expr::substitute::local_nodes;
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::syntax::ast::AskKind;

/// Formulas of more nodes are not written beside a node.
const LONGEST: usize = 160;

/// A program as nodes and edges.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The nodes; what is read stands before what reads it.
    pub nodes: Vec<Node>,
    /// Which reads which.
    pub edges: Vec<Edge>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A variable.
    Variable,
    /// A definition of the user's, or what a request asks for.
    Definition,
    /// An adjoint, or another name that the calculus gives.
    Adjoint,
    /// A result.
    Result,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its name in a book's letters: `W₁`, `∂L/∂W₁`.
    pub name: String,
    /// Rows and columns: `D × H`; empty for a scalar.
    pub shape: String,
    /// The same in MathML, without `math` around it.
    pub size: String,
    /// Its name in MathML, without `math` around it.
    pub math: String,
    /// Its name and what it stands for, or its type, as a MathML element.
    pub formula: String,
    /// The column, from 0 on the left: what is read stands left of what reads it, on the way to the results; adjoints and
    /// results stand where their definitions and variables do.
    pub column: usize,
}

/// An edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The node that is read.
    pub from: usize,
    /// The node that reads it.
    pub to: usize,
}

/// The graph of an answer.
pub fn graph(answer: &Answer) -> Graph {
    let mut made = Made { answer, graph: Graph::default(), places: HashMap::new() };
    made.variables();
    made.definitions();
    made.adjoints();
    made.results();
    made.graph
}

struct Made<'a> {
    answer: &'a Answer,
    graph: Graph,
    /// Where the nodes of the arena are in the graph.
    places: HashMap<ExprId, usize>,
}

impl Made<'_> {
    fn variables(&mut self) {
        let arena = &self.answer.arena;
        let leaves: Vec<ExprId> =
            (0..arena.len()).map(|i| ExprId(i as u32)).filter(|&id| matches!(arena.op(id), Op::Variable(_))).collect();
        for id in leaves {
            let name = arena.name_of(id);
            let Some(variable) = arena.variables.iter().find(|variable| variable.name == name) else { continue };
            let spoken = format!("{name} : {}", variable.kind);
            let mut row = vec![typeset(&Notation::Name(name.clone())), Piece::Relation('∈')];
            let sizes = sizes(arena, variable.shape);
            let space = Piece::Letter('ℝ');
            row.push(match sizes.is_empty() {
                true => space,
                false => {
                    let above = Some(Box::new(by(&sizes)));
                    Piece::Scripts { base: Box::new(space), below: None, above }
                }
            });
            let formula = math(&Piece::Row(row), &spoken);
            self.add(id, Kind::Variable, &Notation::Name(name), variable.shape, formula, 0);
        }
    }

    /// Definitions, one column right of what they read; then the variables, one column left of their first reader.
    fn definitions(&mut self) {
        let arena = &self.answer.arena;
        for (i, named) in arena.all_named().iter().enumerate() {
            if matches!(named.kind, NameKind::Definition | NameKind::Request | NameKind::Part) {
                let id = self.node_of(i);
                let read = self.read(named.body);
                let column = 1 + read.iter().map(|&node| self.graph.nodes[node].column).max().unwrap_or(0);
                let formula = self.equation(Notation::Name(named.name.clone()), named.body);
                self.add(id, Kind::Definition, &Notation::Name(named.name.clone()), arena.shape(id), formula, column);
                self.join(&read);
            }
        }
        for node in 0..self.graph.nodes.len() {
            if self.graph.nodes[node].kind != Kind::Variable {
                continue;
            }
            let readers = self.graph.edges.iter().filter(|edge| edge.from == node);
            if let Some(first) = readers.map(|edge| self.graph.nodes[edge.to].column).min() {
                self.graph.nodes[node].column = first - 1;
            }
        }
    }

    fn adjoints(&mut self) {
        let arena = &self.answer.arena;
        for (i, named) in arena.all_named().iter().enumerate() {
            if !matches!(named.kind, NameKind::Adjoint | NameKind::Directional) {
                continue;
            }
            let id = self.node_of(i);
            let of = named.name.split_once('_').map_or("", |(_, of)| of);
            let own = self.graph.nodes.iter().find(|node| node.kind == Kind::Definition && node.name == in_book(of));
            let column = own.map_or(0, |node| node.column);
            let formula = self.equation(Notation::Name(named.name.clone()), named.body);
            self.add(id, Kind::Adjoint, &Notation::Name(named.name.clone()), arena.shape(id), formula, column);
        }
        // An adjoint may read one that is named later, so edges come when all have their places.
        for (i, named) in arena.all_named().iter().enumerate() {
            if matches!(named.kind, NameKind::Adjoint | NameKind::Directional) {
                let to = self.places[&self.node_of(i)];
                for from in self.read(named.body) {
                    self.graph.edges.push(Edge { from, to });
                }
            }
        }
    }

    fn results(&mut self) {
        let arena = &self.answer.arena;
        for outcome in &self.answer.outcomes {
            let name = left_of(self.answer, outcome);
            let column = outcome.wrt_nodes.first().and_then(|id| self.places.get(id));
            let column = column.map_or(0, |&node| self.graph.nodes[node].column);
            let read = self.read(outcome.result);
            let formula = self.equation(name.clone(), outcome.result);
            let sizes: Vec<Notation> = outcome.shape.iter().map(|&d| dimension(arena, d)).collect();
            let sizes = if sizes.iter().all(|d| text(d) == "1") { Vec::new() } else { sizes };
            let to = self.graph.nodes.len();
            self.graph.nodes.push(node(Kind::Result, &name, &sizes, formula, column));
            self.graph.edges.extend(read.into_iter().map(|from| Edge { from, to }));
        }
    }

    fn node_of(&self, i: usize) -> ExprId {
        self.answer.arena.named_node(i)
    }

    /// Nodes of the graph that a formula reads.
    fn read(&self, body: ExprId) -> Vec<usize> {
        let own = self.places.get(&body).copied();
        match own {
            Some(place) => vec![place],
            None => {
                let nodes = local_nodes(&self.answer.arena, body);
                nodes.iter().filter_map(|id| self.places.get(id).copied()).collect()
            }
        }
    }

    fn add(&mut self, id: ExprId, kind: Kind, name: &Notation, shape: Shape, formula: String, column: usize) {
        self.places.insert(id, self.graph.nodes.len());
        self.graph.nodes.push(node(kind, name, &sizes(&self.answer.arena, shape), formula, column));
    }

    /// The last node reads these.
    fn join(&mut self, read: &[usize]) {
        let to = self.graph.nodes.len() - 1;
        self.graph.edges.extend(read.iter().map(|&from| Edge { from, to }));
    }

    fn equation(&self, name: Notation, body: ExprId) -> String {
        let arena = &self.answer.arena;
        if local_nodes(arena, body).len() > LONGEST {
            return math(&typeset(&name), &text(&name));
        }
        let equation = Notation::Equation(vec![name, notation(arena, body)]);
        math(&typeset(&equation), &text(&equation))
    }
}

fn node(kind: Kind, name: &Notation, sizes: &[Notation], formula: String, column: usize) -> Node {
    Node {
        kind,
        name: unicode(name),
        shape: sizes.iter().map(unicode).collect::<Vec<_>>().join(" × "),
        size: if sizes.is_empty() { String::new() } else { spelled(&by(sizes)) },
        math: spelled(&typeset(name)),
        formula,
        column,
    }
}

fn in_book(name: &str) -> String {
    unicode(&Notation::Name(name.to_owned()))
}

/// Rows and columns; nothing of a scalar.
fn sizes(arena: &Arena, shape: Shape) -> Vec<Notation> {
    let Shape { rows, columns } = shape;
    match (rows == DimId::ONE, columns == DimId::ONE) {
        (true, true) => Vec::new(),
        _ => vec![dimension(arena, rows), dimension(arena, columns)],
    }
}

/// `m × n`
fn by(sizes: &[Notation]) -> Piece {
    let mut row = Vec::new();
    for (i, d) in sizes.iter().enumerate() {
        if i > 0 {
            row.push(Piece::Binary('×'));
        }
        row.push(typeset(d));
    }
    Piece::Row(row)
}

fn math(piece: &Piece, spoken: &str) -> String {
    format!("<math displaystyle=\"true\" alttext=\"{}\">{}</math>", escaped(spoken), spelled(piece))
}

/// The left side of a result.
fn left_of(answer: &Answer, outcome: &Outcome) -> Notation {
    let arena = &answer.arena;
    let of = arena.name_of(outcome.of_node);
    let wrt = |i: usize| outcome.wrt.get(i).or(outcome.wrt.first()).cloned().unwrap_or_default();
    match outcome.kind {
        AskKind::Differential => Notation::Differential(of),
        AskKind::Hessian => second_partial(&of, &wrt(0), &wrt(1), [false; 2]),
        AskKind::Gradient | AskKind::Jacobian => partial(&of, &wrt(0), [false; 2]),
        AskKind::HessianAlong | AskKind::JacobianAlong | AskKind::JacobianAgainst => match outcome.directed_left() {
            Some(left) => left_side(arena, &left),
            None => partial(&of, &wrt(0), [false; 2]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, Kind, graph};
    use crate::answer::answer;
    use crate::derivation::Detail;

    fn edges(graph: &Graph) -> Vec<String> {
        let name = |i: usize| graph.nodes[i].name.as_str();
        graph.edges.iter().map(|edge| format!("{} → {}", name(edge.from), name(edge.to))).collect()
    }

    #[test]
    fn what_is_read_stands_left_of_its_reader_and_adjoints_below_their_definitions() {
        let source =
            "X : matrix(N, D)\nw : vector(D)\nv : vector(N)\nz = X*w\ny = tanh(z)\nL = normsq(y - v)\ngrad L wrt w, v";
        let graph = graph(&answer(source, Detail::None).unwrap());
        let find = |name: &str| graph.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("{name}"));
        let columns = ["X", "w", "v", "z", "y", "L"].map(|name| find(name).column);
        assert_eq!(columns, [0, 0, 2, 1, 2, 3]);
        assert_eq!(
            (find("X").shape.as_str(), find("L").shape.as_str(), find("w").shape.as_str()),
            ("N × D", "", "D × 1")
        );
        let results: Vec<_> = graph.nodes.iter().filter(|node| node.kind == Kind::Result).collect();
        assert_eq!(
            results.iter().map(|node| (node.name.as_str(), node.column)).collect::<Vec<_>>(),
            [("∂L/∂w", 0), ("∂L/∂v", 2)]
        );
        let edges = edges(&graph);
        for edge in ["X → z", "w → z", "z → y", "y → L", "v → L", "X → ∂L/∂w", "y → ∂L/∂v"] {
            assert!(edges.iter().any(|known| known == edge), "{edge}: {edges:?}");
        }
        assert!(!edges.iter().any(|edge| edge == "z → L"));
    }

    #[test]
    fn the_adjoints_of_a_network_flow_back() {
        let source = include_str!("../../examples/two_layer_mlp.mg");
        let graph = graph(&answer(source, Detail::None).unwrap());
        let edges = edges(&graph);
        for edge in ["G_Z₂ → G_Z₁", "G_Z₁ → ∂L/∂W₁", "H₁ → ∂L/∂W₂", "P → G_Z₂"] {
            assert!(edges.iter().any(|known| known == edge), "{edge}: {edges:?}");
        }
        let column = |name: &str| graph.nodes.iter().find(|node| node.name == name).map(|node| node.column);
        assert_eq!(column("G_Z₁"), column("Z₁"));
        assert_eq!(column("∂L/∂W₂"), column("W₂"));
    }
}
