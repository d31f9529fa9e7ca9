//! A program's numbers straight from its syntax tree, by the words of the language's page: nothing is simplified, nothing
//! is shared with the library's interpreter. Slopes are carried along, and how close the point is to where a function has
//! no derivative.

use std::collections::HashMap;

use matgrad::dimension::{DimId, Shape};
use matgrad::elaborate::{DefinitionId, Meaning, Typed};
use matgrad::matrix::Matrix;
use matgrad::syntax::ast::{Comparison, Node, NodeId, Operator};

use super::dual::{Dual, Grid, NoValue, still};

/// Numbers for all names.
#[derive(Clone, Debug, Default)]
pub struct Point {
    pub sizes: HashMap<String, i64>,
    /// In the order of the program's variables.
    pub variables: Vec<Matrix>,
}

/// What moves, and how.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    pub variables: HashMap<usize, Matrix>,
    /// Definitions that count as independent.
    pub definitions: HashMap<usize, Matrix>,
}

/// The values of nodes, and how good the point is.
#[derive(Debug)]
pub struct Found {
    pub nodes: Vec<Option<Grid>>,
    /// The distance to the nearest kink that is not met exactly, relative to what is compared there.
    pub clearance: f64,
    /// Whether a kink is met exactly.
    pub ties: bool,
    /// The largest number on the way.
    pub largest: f64,
}

/// The value of a dimension.
pub fn size_of(typed: &Typed, sizes: &HashMap<String, i64>, id: DimId) -> Option<usize> {
    let value = typed.dimensions.value(id, &|name| sizes.get(name).copied())?;
    usize::try_from(value).ok().filter(|&n| n > 0)
}

/// The values of all nodes that `roots` need. `differentials` are the numbers of `dX` by variable.
pub fn values(
    typed: &Typed,
    point: &Point,
    moves: &Moves,
    differentials: &HashMap<usize, Matrix>,
    roots: &[NodeId],
) -> Result<Found, NoValue> {
    let mut needed = vec![false; typed.ast.len()];
    let mut stack = roots.to_vec();
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut needed[id.0 as usize], true) {
            continue;
        }
        stack.extend(typed.ast.children(id));
        if let Some(Meaning::Definition(d)) = typed.meanings[id.0 as usize] {
            stack.push(typed.definitions[d.0 as usize].body);
        }
    }
    let mut run = Run {
        typed,
        point,
        moves,
        differentials,
        found: Found { nodes: vec![None; typed.ast.len()], clearance: f64::INFINITY, ties: false, largest: 0.0 },
        moving: vec![false; typed.ast.len()],
    };
    for i in (0..typed.ast.len()).filter(|&i| needed[i]) {
        run.moving[i] = match typed.meanings[i] {
            Some(Meaning::Variable(v)) => moves.variables.contains_key(&(v.0 as usize)),
            Some(Meaning::Definition(d)) => {
                moves.definitions.contains_key(&(d.0 as usize))
                    || run.moving[typed.definitions[d.0 as usize].body.0 as usize]
            }
            _ => typed.ast.children(NodeId(i as u32)).iter().any(|a| run.moving[a.0 as usize]),
        };
        let value = run.node(NodeId(i as u32))?;
        let shape = typed.shapes[i];
        let expected = (run.size(shape.rows)?, run.size(shape.columns)?);
        assert_eq!((value.rows, value.columns), expected, "the shape of {:?}", typed.ast.node(NodeId(i as u32)));
        for x in &value.entries {
            if !x.value.is_finite() || !x.slope.is_finite() {
                return Err(NoValue("a value that is not finite"));
            }
            run.found.largest = run.found.largest.max(x.value.abs());
        }
        run.found.nodes[i] = Some(value);
    }
    Ok(run.found)
}

/// What the entries that belong together are.
#[derive(Clone, Copy)]
struct Lines {
    /// Whether the argument is a vector or row by its type.
    vector: bool,
    /// Whether `axis=0` is given.
    columns: bool,
}

struct Run<'a> {
    typed: &'a Typed,
    point: &'a Point,
    moves: &'a Moves,
    differentials: &'a HashMap<usize, Matrix>,
    found: Found,
    /// Whether a node moves.
    moving: Vec<bool>,
}

impl Run<'_> {
    fn at(&self, id: NodeId) -> Grid {
        self.found.nodes[id.0 as usize].clone().expect("children stand before their parents")
    }

    fn size(&self, id: DimId) -> Result<usize, NoValue> {
        size_of(self.typed, &self.point.sizes, id).ok_or(NoValue("a dimension that is not positive"))
    }

    /// Remembers that a function has no derivative where x is y.
    fn kink(&mut self, x: Dual, y: Dual) {
        let distance = (x.value - y.value).abs();
        if distance == 0.0 {
            self.found.ties = true;
        } else {
            let scale = x.value.abs().max(y.value.abs()).max(1.0);
            self.found.clearance = self.found.clearance.min(distance / scale);
        }
    }

    fn kinks(&mut self, a: &Grid, b: &Grid) {
        let mut pairs = Vec::new();
        let collected = std::cell::RefCell::new(&mut pairs);
        a.pairs(b, |x, y| {
            collected.borrow_mut().push((x, y));
            x
        });
        for (x, y) in pairs {
            self.kink(x, y);
        }
    }

    fn node(&mut self, id: NodeId) -> Result<Grid, NoValue> {
        let typed = self.typed;
        Ok(match typed.ast.node(id) {
            Node::Number(value) => Grid::scalar(still(value.to_f64())),
            Node::Name(_) => self.name(id)?,
            Node::Negate(a) => self.at(*a).map(|x| -x),
            Node::Transpose(a) => self.at(*a).transpose(),
            Node::Binary(operator, a, b) => self.binary(*operator, *a, *b)?,
            Node::Compare(comparison, a, b) => {
                let (a, b) = (self.at(*a), self.at(*b));
                self.kinks(&a, &b);
                a.pairs(&b, |x, y| {
                    let (x, y) = (x.value, y.value);
                    let holds = match comparison {
                        Comparison::Greater => x > y,
                        Comparison::GreaterEqual => x >= y,
                        Comparison::Less => x < y,
                        Comparison::LessEqual => x <= y,
                        Comparison::Equal => x == y,
                        Comparison::NotEqual => x != y,
                    };
                    still(if holds { 1.0 } else { 0.0 })
                })
            }
            Node::Call { function, arguments, named } => {
                let list: Vec<Grid> = arguments.iter().map(|&a| self.at(a)).collect();
                let columns = named.iter().any(|(_, _, n)| self.at(*n).at(0, 0).value == 0.0);
                let shape = self.typed.shapes[arguments[0].0 as usize];
                let vector = shape.rows == DimId::ONE || shape.columns == DimId::ONE;
                let moves = arguments.iter().any(|a| self.moving[a.0 as usize]);
                self.call(function, &list, Lines { vector, columns }, moves, typed.shapes[id.0 as usize])?
            }
            Node::Blocks(rows) => {
                let bands: Vec<Grid> = rows.iter().map(|row| self.side_by_side(row)).collect();
                let columns = bands[0].columns;
                let entries: Vec<Dual> = bands.iter().flat_map(|b| b.entries.clone()).collect();
                Grid { rows: entries.len() / columns, columns, entries }
            }
            Node::Frobenius(a, b) => Grid::scalar(self.at(*a).pairs(&self.at(*b), |x, y| x * y).total()),
            Node::Error => return Err(NoValue("a mistake")),
        })
    }

    fn side_by_side(&self, row: &[NodeId]) -> Grid {
        let parts: Vec<Grid> = row.iter().map(|&a| self.at(a)).collect();
        let rows = parts[0].rows;
        let mut entries = Vec::new();
        for i in 0..rows {
            for part in &parts {
                entries.extend((0..part.columns).map(|j| part.at(i, j)));
            }
        }
        Grid { rows, columns: entries.len() / rows, entries }
    }

    fn name(&self, id: NodeId) -> Result<Grid, NoValue> {
        let meaning = self.typed.meanings[id.0 as usize].ok_or(NoValue("a name without a meaning"))?;
        let slope = |matrix: &Matrix| Grid::moving(matrix, None);
        Ok(match meaning {
            Meaning::Variable(v) => {
                let i = v.0 as usize;
                Grid::moving(&self.point.variables[i], self.moves.variables.get(&i))
            }
            Meaning::Definition(DefinitionId(d)) => {
                let value = self.at(self.typed.definitions[d as usize].body);
                match self.moves.definitions.get(&(d as usize)) {
                    Some(direction) => Grid::moving(&value.values(), Some(direction)),
                    None => value,
                }
            }
            Meaning::Dimension(d) => Grid::scalar(still(self.size(d)? as f64)),
            Meaning::Pi => Grid::scalar(still(std::f64::consts::PI)),
            Meaning::E => Grid::scalar(still(std::f64::consts::E)),
            Meaning::DifferentialOfVariable(v) => match self.differentials.get(&(v.0 as usize)) {
                Some(matrix) => slope(matrix),
                None => slope(&self.point.variables[v.0 as usize].scale(0.0)),
            },
            Meaning::DifferentialOfDefinition(_) => return Err(NoValue("a differential of a definition")),
        })
    }

    fn binary(&mut self, operator: Operator, a: NodeId, b: NodeId) -> Result<Grid, NoValue> {
        let exponent = self.typed.ast.node(b).clone();
        let (a, b) = (self.at(a), self.at(b));
        Ok(match operator {
            Operator::Add => a.pairs(&b, |x, y| x + y),
            Operator::Subtract => a.pairs(&b, |x, y| x - y),
            Operator::Hadamard => a.pairs(&b, |x, y| x * y),
            Operator::HadamardDivide if b.entries.iter().any(|y| y.value.abs() < 1e-12) => {
                return Err(NoValue("a divisor that may be zero but for rounding"));
            }
            Operator::HadamardDivide => a.pairs(&b, |x, y| x / y),
            Operator::HadamardPower => self.powers(&a, &b),
            Operator::Multiply => a.multiply(&b),
            Operator::Divide if b.is_scalar() => a.pairs(&b, |x, y| x / y),
            Operator::Divide => a.multiply(&b.inverse()?.0),
            Operator::LeftDivide if a.is_scalar() => a.pairs(&b, |x, y| y / x),
            Operator::LeftDivide => a.inverse()?.0.multiply(&b),
            Operator::Power if a.is_scalar() => self.powers(&a, &b),
            Operator::Power => {
                let k = b.at(0, 0).value;
                let _ = exponent;
                if k.abs() == 0.5 {
                    let root = a.root()?;
                    if k > 0.0 { root } else { root.inverse()?.0 }
                } else {
                    let base = if k < 0.0 { a.inverse()?.0 } else { a.clone() };
                    (0..k.abs() as usize).fold(Grid::identity(a.rows), |out, _| out.multiply(&base))
                }
            }
        })
    }

    fn powers(&mut self, a: &Grid, b: &Grid) -> Grid {
        let broken = b.entries.iter().any(|k| k.value.trunc() != k.value || k.slope != 0.0);
        if broken || b.entries.iter().any(|k| k.value < 0.0) {
            self.kinks(a, &Grid::scalar(still(0.0)));
        }
        a.pairs(b, Dual::power)
    }

    fn call(
        &mut self,
        function: &str,
        list: &[Grid],
        lines: Lines,
        moves: bool,
        shape: Shape,
    ) -> Result<Grid, NoValue> {
        let a = &list[0];
        let zero = Grid::scalar(still(0.0));
        if matches!(function, "abs" | "sign" | "relu" | "elu" | "step" | "leaky_relu" | "norm1") {
            self.kinks(a, &zero);
        }
        if a.entries.iter().all(|x| x.function(function).is_some()) {
            let steep = |x: &Dual| {
                let unit = Dual { value: x.value, slope: 1.0 };
                unit.function(function).is_some_and(|f| !f.slope.is_finite())
            };
            if function == "log" && a.entries.iter().any(|x| x.value.abs() < 1e-10) {
                return Err(NoValue("the logarithm of what may be rounding"));
            }
            if matches!(function, "asin" | "arcsin" | "acos" | "arccos")
                && a.entries.iter().any(|x| (x.value.abs() - 1.0).abs() < 1e-10)
            {
                return Err(NoValue("the border of a domain, which rounding may cross"));
            }
            if moves && a.entries.iter().any(steep) {
                return Err(NoValue("an infinite derivative"));
            }
            return Ok(a.map(|x| x.function(function).unwrap_or(x)));
        }
        let count = |n: usize| still(n as f64);
        let Lines { vector, columns } = lines;
        // A vector is taken as one line; with axis=0 every column is.
        let line_of_all = vector && !columns || columns && a.columns == 1;
        let sum = |line: &[Dual]| line.iter().fold(still(0.0), |s, &x| s + x);
        let log_sum_exp = |line: &[Dual]| {
            let largest = still(line.iter().fold(f64::NEG_INFINITY, |l, x| l.max(x.value)));
            largest + line.iter().fold(still(0.0), |s, &x| s + (x - largest).exp()).log()
        };
        let by_line = |a: &Grid, f: &dyn Fn(&[Dual]) -> Dual| {
            if line_of_all { Grid::scalar(f(&a.entries)) } else { a.reduced(!columns, f) }
        };
        Ok(match function {
            "leaky_relu" => {
                let slope = list[1].at(0, 0);
                a.map(|x| if x.value > 0.0 { x } else { slope * x })
            }
            "max" | "min" => {
                self.kinks(a, &list[1]);
                a.pairs(&list[1], |x, y| {
                    if x.value == y.value {
                        (x + y) * still(0.5)
                    } else if (x.value > y.value) == (function == "max") {
                        x
                    } else {
                        y
                    }
                })
            }
            "softmax" => {
                let log = by_line(a, &log_sum_exp);
                a.pairs(&log, |x, l| (x - l).exp())
            }
            "logsoftmax" => {
                let log = by_line(a, &log_sum_exp);
                a.pairs(&log, |x, l| x - l)
            }
            "logsumexp" => by_line(a, &log_sum_exp),
            "sum" | "mean" if list.len() == 2 => {
                let along_rows = list[1].at(0, 0).value == 2.0;
                let n = count(if along_rows { a.columns } else { a.rows });
                let sums = a.reduced(along_rows, sum);
                if function == "sum" { sums } else { sums.map(|x| x / n) }
            }
            "sum" => Grid::scalar(a.total()),
            "mean" => Grid::scalar(a.total() / count(a.entries.len())),
            "rowsum" => a.reduced(true, sum),
            "rowmean" => a.reduced(true, sum).map(|x| x / count(a.columns)),
            "colsum" => a.reduced(false, sum),
            "colmean" => a.reduced(false, sum).map(|x| x / count(a.rows)),
            "tr" => Grid::scalar((0..a.rows).fold(still(0.0), |s, i| s + a.at(i, i))),
            "det" => {
                // The differential of a textbook needs the inverse.
                a.inverse()?;
                Grid::scalar(a.determinant())
            }
            "logdet" => {
                a.inverse()?;
                let det = a.determinant();
                if det.value <= 0.0 {
                    return Err(NoValue("the logarithm of a negative determinant"));
                }
                Grid::scalar(det.log())
            }
            "norm" | "norm2" | "normF" => {
                let square = a.map(|x| x * x).total();
                if square.value < 1e-6 {
                    return Err(NoValue("a norm at zero"));
                }
                Grid::scalar(square.sqrt())
            }
            "norm1" => Grid::scalar(a.map(|x| x * still(x.sign())).total()),
            "normsq" => Grid::scalar(a.map(|x| x * x).total()),
            "dot" => Grid::scalar(a.pairs(&list[1], |x, y| x * y).total()),
            "inv" => a.inverse()?.0,
            "adj" => {
                a.inverse()?;
                a.adjugate()
            }
            "expm" => a.exponential()?,
            "chol" => a.cholesky()?,
            "tril" => Grid::from_fn(a.rows, a.columns, |i, j| if i >= j { a.at(i, j) } else { still(0.0) }),
            "triu" => Grid::from_fn(a.rows, a.columns, |i, j| if i <= j { a.at(i, j) } else { still(0.0) }),
            "transpose" => a.transpose(),
            "pinv" => a.pseudo_inverse()?,
            "diag" if vector && a.rows != a.columns || a.is_scalar() => {
                let n = a.entries.len();
                Grid::from_fn(n, n, |i, j| if i == j { a.entries[i] } else { still(0.0) })
            }
            "diag" => Grid::from_fn(a.rows, 1, |i, _| a.at(i, i)),
            "vec" => a.reshape(a.entries.len(), 1),
            "vech" => {
                let pairs = (0..a.columns).flat_map(|j| (j..a.rows).map(move |i| (i, j)));
                let entries: Vec<Dual> = pairs.map(|(i, j)| a.at(i, j)).collect();
                Grid { rows: entries.len(), columns: 1, entries }
            }
            "unvech" => {
                let n = self.size(shape.rows)?;
                let place = |i: usize, j: usize| (0..j).map(|k| n - k).sum::<usize>() + i - j;
                Grid::from_fn(n, n, |i, j| if i >= j { a.entries[place(i, j)] } else { still(0.0) })
            }
            "reshape" => a.reshape(list[1].at(0, 0).value as usize, list[2].at(0, 0).value as usize),
            "kron" => a.kron(&list[1]),
            "eye" => Grid::identity(a.at(0, 0).value as usize),
            "ones" | "zeros" | "onevec" | "vector" | "matrix" => {
                let fill = match function {
                    "zeros" => still(0.0),
                    "vector" | "matrix" => a.at(0, 0),
                    _ => still(1.0),
                };
                Grid::from_fn(self.size(shape.rows)?, self.size(shape.columns)?, |_, _| fill)
            }
            "unit" => {
                let (n, i) = (a.at(0, 0).value as usize, list[1].at(0, 0).value as usize);
                if i > n {
                    return Err(NoValue("a unit vector beyond the size"));
                }
                Grid::from_fn(n, 1, |k, _| still(if k + 1 == i { 1.0 } else { 0.0 }))
            }
            other => panic!("the function `{other}` is not in the test"),
        })
    }
}
