//! Parts of random programs of any kind and a given shape.

use super::generate::{Maker, TOTAL, scalar_shape};
use super::tree::{Kind, Shape, Size, Tree, transpose_sign};

impl Maker {
    pub fn softmax(&mut self, function: &'static str, shape: &Shape, budget: usize) -> Tree {
        let inner = self.any(shape, budget);
        let rest = if self.chance.percent(25) { ", axis=0" } else { "" };
        Tree::new(Kind::Call(function, rest.to_owned()), shape, vec![inner])
    }

    /// An operand that is broadcast to a shape, or has it.
    pub fn broadcast(&mut self, shape: &Shape, other: &Shape, budget: usize) -> Tree {
        let mut of = shape.clone();
        match self.chance.below(8) {
            0 => of = scalar_shape(),
            1 => of.0 = Size::One,
            2 => of.1 = Size::One,
            _ => {}
        }
        // A column next to a row is an error, and one of both has the whole shape.
        let covers = |x: &Size, y: &Size, whole: &Size| x == whole || y == whole;
        if !covers(&of.0, &other.0, &shape.0) || !covers(&of.1, &other.1, &shape.1) {
            of = shape.clone();
        }
        self.any(&of, budget)
    }

    pub fn pair(&mut self, operator: &'static str, shape: &Shape, budget: usize) -> Tree {
        let (l, r) = self.two(budget);
        let left_is_small = self.chance.percent(30);
        let whole = self.any(shape, if left_is_small { r } else { l });
        let small = self.broadcast(shape, shape, if left_is_small { l } else { r });
        if left_is_small {
            self.infix(operator, shape, small, whole)
        } else {
            self.infix(operator, shape, whole, small)
        }
    }

    /// An expression of that shape.
    pub fn any(&mut self, shape: &Shape, budget: usize) -> Tree {
        if budget == 0 {
            return self.leaf(shape);
        }
        let b = budget - 1;
        let (r, c) = (&shape.0, &shape.1);
        let square = r == c && !r.is_one();
        let which = self.chance.below(100);
        match which {
            0..10 => {
                let operator = if self.chance.percent(60) { "+" } else { "-" };
                self.pair(operator, shape, b)
            }
            10..17 => self.pair(".*", shape, b),
            17..21 => {
                let (x, y) = self.two(b);
                let above = self.any(shape, x);
                let below = if self.chance.percent(90) { self.positive(shape, y) } else { self.any(shape, y) };
                self.infix("./", shape, above, below)
            }
            21..25 => {
                let (x, y) = self.two(b);
                let (s, a) = (self.any(&scalar_shape(), x), self.any(shape, y));
                if self.chance.percent(70) { self.infix("*", shape, s, a) } else { self.infix("*", shape, a, s) }
            }
            25..27 => {
                let (x, y) = self.two(b);
                let (a, s) = (self.any(shape, x), self.positive(&scalar_shape(), y));
                if self.chance.percent(85) { self.infix("/", shape, a, s) } else { self.infix("\\", shape, s, a) }
            }
            27..30 => Tree::new(Kind::Negate, shape, vec![self.any(shape, b)]),
            30..41 => Tree::call(*self.chance.one_of(&TOTAL), shape, vec![self.any(shape, b)]).turned(self),
            41..45 => self.partial(shape, b),
            45..49 => {
                let operator = *self.chance.one_of(&[".^2", ".^3", ".^2", ".^0.5", ".^-1", ".^1.5", ".^-2"]);
                let whole = matches!(operator, ".^2" | ".^3");
                let base = if whole || self.chance.percent(5) { self.any(shape, b) } else { self.positive(shape, b) };
                base.power(operator)
            }
            49..51 => {
                let (x, y) = self.two(b);
                let base = self.positive(shape, x);
                let exponent = self.broadcast(shape, shape, y);
                self.infix(".^", shape, base, exponent)
            }
            51..53 => {
                let function = *self.chance.one_of(&["max", "min"]);
                let (x, y) = self.two(b);
                let whole = self.any(shape, x);
                let other = self.broadcast(shape, shape, y);
                Tree::call(function, shape, vec![whole, other])
            }
            53 => {
                let (x, y) = self.two(b);
                let (a, s) = (self.any(shape, x), self.any(&scalar_shape(), y));
                Tree::call("leaky_relu", shape, vec![a, s])
            }
            54..56 => {
                let (x, y) = self.two(b);
                let operator = *self.chance.one_of(&[">", ">=", "<", "<=", "==", "!="]);
                let (whole, other) = (self.any(shape, x), self.broadcast(shape, shape, y));
                self.infix(operator, shape, whole, other)
            }
            56..60 => {
                let sign = transpose_sign(&mut self.chance);
                let turned = (c.clone(), r.clone());
                let inner = self.any(&turned, b);
                if self.chance.percent(10) {
                    Tree::call("transpose", shape, vec![inner])
                } else {
                    inner.transposed(sign)
                }
            }
            60..70 if shape != &scalar_shape() => self.product(shape, b),
            70..74 if !r.is_one() && (!c.is_one() || self.chance.percent(60)) => {
                let function = *self.chance.one_of(&["softmax", "logsoftmax"]);
                self.softmax(function, shape, b)
            }
            74..76 if shape != &scalar_shape() => {
                let inner = self.any(shape, b);
                Tree::call(*self.chance.one_of(&["tril", "triu"]), shape, vec![inner])
            }
            76..78 if shape != &scalar_shape() && r != c => {
                let turned = (c.clone(), r.clone());
                let inner = self.any(&turned, b);
                Tree::new(Kind::Call("reshape", format!(", {r}, {c}")), shape, vec![inner])
            }
            78 => {
                // A constant whose shape follows from its neighbour.
                let (x, y) = self.two(b);
                let (whole, s) = (self.any(shape, x), self.any(&scalar_shape(), y));
                match (r.is_one(), c.is_one()) {
                    (false, true) => {
                        let constant = Tree::call("vector", shape, vec![s]);
                        self.infix("+", shape, whole, constant)
                    }
                    (false, false) => {
                        let constant = Tree::call("matrix", shape, vec![s]);
                        self.infix(".*", shape, whole, constant)
                    }
                    _ => self.infix("*", shape, s, whole),
                }
            }
            _ if shape == &scalar_shape() => self.scalar_of_all(b),
            _ if square => self.square(shape, b),
            _ if c.is_one() => self.column(shape, b),
            _ if r.is_one() => self.row(shape, b),
            _ => self.rectangle(shape, b),
        }
    }

    /// A function that is not defined everywhere.
    pub fn partial(&mut self, shape: &Shape, b: usize) -> Tree {
        let function =
            *self.chance.one_of(&["log", "log", "log1p", "sqrt", "recip", "asin", "acos", "arcsin", "arccos", "tan"]);
        let inner = match function {
            _ if self.chance.percent(5) => self.any(shape, b),
            "asin" | "acos" | "arcsin" | "arccos" | "tan" => self.bounded(shape, b),
            _ => self.positive(shape, b),
        };
        Tree::call(function, shape, vec![inner])
    }

    pub fn product(&mut self, shape: &Shape, b: usize) -> Tree {
        let (r, c) = (&shape.0, &shape.1);
        let inner = match self.chance.below(6) {
            0 if !r.is_one() && !c.is_one() => Size::One,
            1 if !r.is_one() => r.clone(),
            2 if !c.is_one() => c.clone(),
            _ => self.base(),
        };
        let (x, y) = self.two(b);
        let (left, right) = ((r.clone(), inner.clone()), (inner.clone(), c.clone()));
        if inner == *c && self.chance.percent(25) && !r.is_one() {
            let (a, m) = (self.any(&left, x), self.invertible(&right, y));
            return self.infix("/", shape, a, m);
        }
        if inner == *r && self.chance.percent(25) {
            let (m, a) = (self.invertible(&left, x), self.any(&right, y));
            return self.infix("\\", shape, m, a);
        }
        let (left, right) = (self.any(&left, x), self.any(&right, y));
        self.infix("*", shape, left, right)
    }

    pub fn square(&mut self, shape: &Shape, b: usize) -> Tree {
        let n = &shape.0;
        match self.chance.below(16) {
            0 | 1 => Tree::call("inv", shape, vec![self.invertible(shape, b)]),
            2 => Tree::call("expm", shape, vec![self.any(shape, b.min(3))]),
            3 => Tree::call("adj", shape, vec![self.invertible(shape, b)]),
            4 => Tree::call("chol", shape, vec![self.posdef(shape, b)]),
            5 | 6 => {
                let inner = self.any(&(n.clone(), Size::One), b);
                let inner = if self.chance.percent(80) { inner } else { inner.transposed("'") };
                Tree::call("diag", shape, vec![inner])
            }
            7 => {
                let power = *self.chance.one_of(&["^2", "^3", "²", "^-1", "⁻¹", "^-2", "^4", "^7", "^1", "^0"]);
                let base = if power.contains('-') || power == "⁻¹" {
                    self.invertible(shape, b)
                } else {
                    self.any(shape, b)
                };
                base.power(power)
            }
            8 => self.posdef(shape, b).power(*self.chance.one_of(&["^(1/2)", "^0.5", "^(-1/2)", "^-0.5"])),
            9 => Tree::call("pinv", shape, vec![self.invertible(shape, b)]),
            10 | 11 => match n {
                Size::Name(name) => {
                    let triangle = (Size::Triangle(name), Size::One);
                    Tree::call("unvech", shape, vec![self.any(&triangle, b)])
                }
                Size::Product(..) => self.kron(shape, b),
                Size::Sum(..) => self.blocks(shape, b),
                _ => self.symmetric(shape, b),
            },
            12 | 13 => self.symmetric(shape, b),
            14 => self.posdef(shape, b),
            _ => self.invertible(shape, b),
        }
    }

    pub fn column(&mut self, shape: &Shape, b: usize) -> Tree {
        let r = &shape.0;
        let wide = (r.clone(), self.base());
        match r {
            Size::Product(a, c) if self.chance.percent(40) => {
                let (x, y) = (Size::Name(a), Size::Name(c));
                return Tree::call("vec", shape, vec![self.any(&(x, y), b)]);
            }
            Size::Product(..) if self.chance.percent(30) => return self.kron(shape, b),
            Size::Triangle(n) if self.chance.percent(60) => {
                let square = (Size::Name(n), Size::Name(n));
                return Tree::call("vech", shape, vec![self.any(&square, b)]);
            }
            Size::Sum(..) if self.chance.percent(60) => return self.blocks(shape, b),
            _ => {}
        }
        match self.chance.below(10) {
            0 => Tree::call("rowsum", shape, vec![self.any(&wide, b)]),
            1 => Tree::call("rowmean", shape, vec![self.any(&wide, b)]),
            2 => {
                let function = *self.chance.one_of(&["sum", "mean"]);
                Tree::new(Kind::Call(function, ", 2".to_owned()), shape, vec![self.any(&wide, b)])
            }
            3 | 4 => Tree::call("logsumexp", shape, vec![self.any(&wide, b)]),
            5 | 6 => {
                let square = (r.clone(), r.clone());
                Tree::call("diag", shape, vec![self.any(&square, b)])
            }
            _ => self.product(shape, b),
        }
    }

    pub fn row(&mut self, shape: &Shape, b: usize) -> Tree {
        let c = &shape.1;
        let high = (self.base(), c.clone());
        match self.chance.below(8) {
            0 => Tree::call("colsum", shape, vec![self.any(&high, b)]),
            1 => Tree::call("colmean", shape, vec![self.any(&high, b)]),
            2 => {
                let function = *self.chance.one_of(&["sum", "mean"]);
                Tree::new(Kind::Call(function, ", 1".to_owned()), shape, vec![self.any(&high, b)])
            }
            3 => Tree::new(Kind::Call("logsumexp", ", axis=0".to_owned()), shape, vec![self.any(&high, b)]),
            4 => {
                let column = (c.clone(), Size::One);
                self.column(&column, b).transposed("'")
            }
            _ => self.product(shape, b),
        }
    }

    pub fn rectangle(&mut self, shape: &Shape, b: usize) -> Tree {
        let (r, c) = (&shape.0, &shape.1);
        match (r, c) {
            (Size::Product(..), _) | (_, Size::Product(..)) if self.chance.percent(50) => self.kron(shape, b),
            (Size::Sum(..), _) | (_, Size::Sum(..)) if self.chance.percent(60) => self.blocks(shape, b),
            _ if self.chance.percent(15) => {
                let turned = (c.clone(), r.clone());
                Tree::call("pinv", shape, vec![self.any(&turned, b.min(2))])
            }
            _ => self.product(shape, b),
        }
    }

    /// A Kronecker product where a side is a product.
    pub fn kron(&mut self, shape: &Shape, b: usize) -> Tree {
        let mut swap = self.chance.percent(50);
        let mut parts = |size: &Size| match size {
            Size::Product(x, y) if swap => (Size::Name(y), Size::Name(x)),
            Size::Product(x, y) => (Size::Name(x), Size::Name(y)),
            Size::One => (Size::One, Size::One),
            other => {
                swap = !swap;
                if swap { (other.clone(), Size::One) } else { (Size::One, other.clone()) }
            }
        };
        let (rows, columns) = (parts(&shape.0), parts(&shape.1));
        let (x, y) = self.two(b);
        let (left, right) = (self.any(&(rows.0, columns.0), x), self.any(&(rows.1, columns.1), y));
        Tree::call("kron", shape, vec![left, right])
    }

    pub fn blocks(&mut self, shape: &Shape, b: usize) -> Tree {
        let halves = |size: &Size| match size {
            Size::Sum(a, b) => vec![Size::Name(a), Size::Name(b)],
            other => vec![other.clone()],
        };
        let (rows, columns) = (halves(&shape.0), halves(&shape.1));
        let each = b / (rows.len() * columns.len());
        let mut parts = Vec::new();
        for r in &rows {
            for c in &columns {
                parts.push(self.any(&(r.clone(), c.clone()), each));
            }
        }
        if parts.len() == 1 {
            return parts.remove(0);
        }
        Tree::new(Kind::Blocks(columns.len()), shape, parts)
    }

    /// A scalar made of something larger.
    pub fn scalar_of_all(&mut self, b: usize) -> Tree {
        let shape = scalar_shape();
        let of = loop {
            let of = self.shape();
            if of != shape {
                break of;
            }
        };
        let n = self.base();
        let square = (n.clone(), n.clone());
        match self.chance.below(22) {
            0..3 => Tree::call("sum", &shape, vec![self.any(&of, b)]),
            3 => Tree::call("mean", &shape, vec![self.any(&of, b)]),
            4..6 => Tree::call("tr", &shape, vec![self.any(&square, b)]),
            6 => Tree::call("det", &shape, vec![self.invertible(&square, b)]),
            7 => Tree::call("logdet", &shape, vec![self.posdef(&square, b)]),
            8 => {
                let function = *self.chance.one_of(&["norm", "norm2", "normF"]);
                Tree::call(function, &shape, vec![self.any(&of, b)])
            }
            9 => Tree::call("norm1", &shape, vec![self.any(&of, b)]),
            10 | 11 => Tree::call("normsq", &shape, vec![self.any(&of, b)]),
            12 | 13 => {
                let (x, y) = self.two(b);
                let (left, right) = (self.any(&of, x), self.any(&of, y));
                if self.chance.percent(50) {
                    Tree::call("dot", &shape, vec![left, right])
                } else {
                    Tree::new(Kind::Frobenius, &shape, vec![left, right])
                }
            }
            14..17 => {
                let m = self.base();
                let (x, y) = self.two(b);
                let (y, z) = self.two(y);
                let row = self.any(&(m.clone(), Size::One), x).transposed("'");
                let middle = self.any(&(m.clone(), n.clone()), y);
                let column = self.any(&(n, Size::One), z);
                let left = self.infix("*", &(Size::One, square.1.clone()), row, middle);
                self.infix("*", &shape, left, column)
            }
            17 => {
                let of = if self.chance.percent(50) { (n, Size::One) } else { (Size::One, n) };
                Tree::call("logsumexp", &shape, vec![self.any(&of, b)])
            }
            18 => {
                let (x, y) = self.two(b);
                let (left, right) = (self.any(&shape, x), self.any(&shape, y));
                let operator = *self.chance.one_of(&["+", "-", "*"]);
                self.infix(operator, &shape, left, right)
            }
            19 => {
                let inner = self.positive(&shape, b);
                inner.power(*self.chance.one_of(&["^2", "^3", "^0.5", "^-1", "^1.5", "²"]))
            }
            20 => Tree::call(
                *self.chance.one_of(&[
                    "tr",
                    "det",
                    "vec",
                    "diag",
                    "inv",
                    "transpose",
                    "sum",
                    "adj",
                    "norm",
                    "vech",
                    "pinv",
                    "softmax",
                    "logsumexp",
                    "normsq",
                    "tril",
                    "expm",
                    "norm1",
                ]),
                &shape,
                vec![self.positive(&shape, b)],
            ),
            _ => Tree::call(*self.chance.one_of(&TOTAL), &shape, vec![self.scalar_of_all(b.saturating_sub(1))]),
        }
    }
}
