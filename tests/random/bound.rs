//! Parts of random programs with a property: positive, bounded, symmetric, positive definite, invertible.

use super::generate::{Maker, scalar_shape};
use super::tree::{Shape, Size, Tree, transpose_sign};

impl Maker {
    /// Entries above 0.
    pub fn positive(&mut self, shape: &Shape, budget: usize) -> Tree {
        if budget == 0 {
            return match self.chance.below(4) {
                0 if shape == &scalar_shape() => self.number(),
                _ => {
                    let kind: &[&'static str] = match (shape.0.is_one(), shape.1.is_one()) {
                        (true, true) => &["scalar"],
                        (false, true) => &["vector"],
                        (true, false) => &["row"],
                        (false, false) => &["matrix"],
                    };
                    self.variable(shape, kind, &["positive"])
                }
            };
        }
        let b = budget - 1;
        match self.chance.below(12) {
            0 | 1 => Tree::call("exp", shape, vec![self.any(shape, b)]),
            2 => Tree::call("sigmoid", shape, vec![self.any(shape, b)]),
            3 => Tree::call("softplus", shape, vec![self.any(shape, b)]),
            4 => Tree::call("cosh", shape, vec![self.any(shape, b)]),
            5 | 6 => {
                let inner = self.any(shape, b.saturating_sub(1));
                let square = inner.power(*self.chance.one_of(&[".^2", ".^2", ".^4"]));
                let c = self.number();
                self.infix("+", shape, square, c)
            }
            7 => {
                let size = Tree::call("abs", shape, vec![self.any(shape, b.saturating_sub(1))]);
                let c = self.number();
                self.infix("+", shape, size, c)
            }
            8 => self.softmax("softmax", shape, b),
            9 => {
                let (l, r) = self.two(b);
                let operator = *self.chance.one_of(&["+", ".*", "./"]);
                let (x, y) = (self.positive(shape, l), self.positive(shape, r));
                self.infix(operator, shape, x, y)
            }
            10 => Tree::call(*self.chance.one_of(&["sqrt", "recip"]), shape, vec![self.positive(shape, b)]),
            _ if shape == &scalar_shape() => {
                let n = self.base();
                let square = (n.clone(), n);
                let inner = self.posdef(&square, b);
                Tree::call(*self.chance.one_of(&["det", "tr", "norm", "normsq"]), shape, vec![inner])
            }
            _ => {
                let wide = (shape.0.clone(), self.base());
                let high = (wide.1.clone(), shape.1.clone());
                let (l, r) = self.two(b);
                let (x, y) = (self.positive(&wide, l), self.positive(&high, r));
                self.infix("*", shape, x, y)
            }
        }
    }

    /// Entries between −1 and 1.
    pub fn bounded(&mut self, shape: &Shape, budget: usize) -> Tree {
        let b = budget.saturating_sub(2);
        let (factor, function) =
            *self.chance.one_of(&[("0.5", "tanh"), ("0.8", "sin"), ("0.9", "sigmoid"), ("0.7", "erf")]);
        let inner = Tree::call(function, shape, vec![self.any(shape, b)]);
        self.infix("*", shape, Tree::leaf(factor, &scalar_shape()), inner)
    }

    pub fn symmetric(&mut self, shape: &Shape, budget: usize) -> Tree {
        if budget == 0 {
            return self.variable(shape, &["symmetric"], &[]);
        }
        let b = budget - 1;
        match self.chance.below(5) {
            0 => {
                let inner = self.any(shape, b / 2);
                let turned = inner.clone().transposed("'");
                self.infix("+", shape, inner, turned)
            }
            1 => self.posdef(shape, b),
            2 => {
                let column = (shape.0.clone(), Size::One);
                let x = self.any(&column, b / 2);
                let turned = x.clone().transposed("'");
                self.infix("*", shape, x, turned)
            }
            3 => {
                let wide = (shape.0.clone(), self.base());
                let inner = (wide.1.clone(), wide.1.clone());
                let (x, m) = (self.any(&wide, b / 3), self.symmetric(&inner, b / 3));
                let turned = x.clone().transposed("'");
                let left = self.infix("*", &wide, x, m);
                self.infix("*", shape, left, turned)
            }
            _ => Tree::call("diag", shape, vec![self.any(&(shape.0.clone(), Size::One), b)]),
        }
    }

    pub fn posdef(&mut self, shape: &Shape, budget: usize) -> Tree {
        if budget == 0 {
            return self.variable(shape, &["posdef"], &[]);
        }
        let b = budget - 1;
        match self.chance.below(9) {
            0 | 1 => {
                let wide = (shape.0.clone(), self.base());
                let a = self.any(&wide, b / 2);
                let turned = a.clone().transposed("'");
                let square = if self.chance.percent(70) {
                    self.infix("*", shape, a, turned)
                } else {
                    let high = (wide.1.clone(), wide.0.clone());
                    let a = self.any(&high, b / 2);
                    let turned = a.clone().transposed("'");
                    self.infix("*", shape, turned, a)
                };
                let eye = Tree::leaf(format!("eye({})", shape.0), shape);
                let c = self.number();
                let eye = if self.chance.percent(50) { eye } else { self.infix("*", shape, c, eye) };
                self.infix("+", shape, square, eye)
            }
            2 => Tree::call("diag", shape, vec![self.positive(&(shape.0.clone(), Size::One), b)]),
            3 => Tree::call("inv", shape, vec![self.posdef(shape, b)]),
            4 => {
                let (l, r) = self.two(b);
                let (x, y) = (self.posdef(shape, l), self.posdef(shape, r));
                self.infix("+", shape, x, y)
            }
            5 => {
                let (l, r) = self.two(b);
                let (s, x) = (self.positive(&scalar_shape(), l), self.posdef(shape, r));
                self.infix("*", shape, s, x)
            }
            6 => Tree::call("expm", shape, vec![self.symmetric(shape, b)]),
            7 => {
                let base = self.posdef(shape, b);
                base.power(*self.chance.one_of(&["^2", "^(1/2)", "^-1", "^(-1/2)", "^0.5", "^3"]))
            }
            _ => self.variable(shape, &["posdef"], &[]),
        }
    }

    pub fn invertible(&mut self, shape: &Shape, budget: usize) -> Tree {
        if budget == 0 {
            return self.variable(shape, &["invertible", "orthogonal", "posdef"], &[]);
        }
        let b = budget - 1;
        match self.chance.below(8) {
            0 => self.posdef(shape, b),
            1 | 2 => {
                let a = self.any(shape, b.saturating_sub(1));
                let (four, eye) = (Tree::leaf("4", &scalar_shape()), Tree::leaf(format!("eye({})", shape.0), shape));
                let scaled = self.infix("*", shape, four, eye);
                self.infix("+", shape, a, scaled)
            }
            3 => Tree::call("expm", shape, vec![self.any(shape, b)]),
            4 => Tree::call("chol", shape, vec![self.posdef(shape, b)]),
            5 => {
                let (l, r) = self.two(b);
                let (x, y) = (self.invertible(shape, l), self.invertible(shape, r));
                self.infix("*", shape, x, y)
            }
            6 => {
                let sign = transpose_sign(&mut self.chance);
                self.invertible(shape, b).transposed(sign)
            }
            _ => Tree::call("inv", shape, vec![self.invertible(shape, b)]),
        }
    }
}
