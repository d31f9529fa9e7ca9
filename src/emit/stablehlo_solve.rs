//! Gauss-Jordan elimination and what stands on it, in StableHLO: functions of a module that `main` calls, one for each size. The
//! elimination is a loop over columns with pivots, of operations that every XLA backend has; a custom call of LAPACK would
//! run on processors only.

use super::stablehlo::{Tile, Writer, kind};
use crate::matrix::PADE;

/// The Padé approximation is exact to rounding for matrices of at most this norm (N. J. Higham, The scaling and squaring method for
/// the matrix exponential revisited, SIAM J. Matrix Anal. Appl. 26 (2005)).
const PADE_NORM: f64 = 5.37;

/// A⁻¹·B, the sign of det A, det A, log |det A|.
pub(super) struct Eliminated {
    pub(super) solution: Tile,
    pub(super) sign: Tile,
    pub(super) determinant: Tile,
    pub(super) logarithm: Tile,
}

impl Writer<'_> {
    /// Eliminates a square matrix beside right sides of two axes.
    pub(super) fn eliminate(&mut self, a: &Tile, b: &Tile) -> Eliminated {
        let (n, k) = (b.axes[0], b.axes[1]);
        self.function(&format!("eliminate_{n}x{k}"), || elimination(n, k));
        let right = format!(
            "call @eliminate_{n}x{k}({}, {}) : ({}, {}) -> ({}, tensor<f64>, tensor<f64>, tensor<f64>)",
            a.name,
            b.name,
            kind(&a.axes),
            kind(&b.axes),
            kind(&b.axes)
        );
        let names = self.lines(&right, 4);
        let number = |name: &str| Tile { name: name.to_owned(), axes: Vec::new() };
        Eliminated {
            solution: Tile { name: names[0].clone(), axes: b.axes.clone() },
            sign: number(&names[1]),
            determinant: number(&names[2]),
            logarithm: number(&names[3]),
        }
    }

    /// A⁻¹·B, B with one axis or two.
    pub(super) fn solve(&mut self, a: &Tile, b: &Tile) -> Tile {
        let wide = if b.axes.len() == 2 { b.clone() } else { self.reshape(b, &[a.axes[0], 1]) };
        let solution = self.eliminate(a, &wide).solution;
        self.reshape(&solution, &b.axes)
    }

    /// A⁻¹
    pub(super) fn inverse(&mut self, a: &Tile) -> Tile {
        let identity = self.identity(a.axes[0]);
        self.eliminate(a, &identity).solution
    }

    /// log det A; not a number where the determinant is negative.
    pub(super) fn log_determinant(&mut self, a: &Tile) -> Tile {
        let none = self.constant(0.0, &[a.axes[0], 1]);
        let parts = self.eliminate(a, &none);
        // √(sign) is not a number below zero, and 0 of a singular matrix has the logarithm −∞ by itself.
        let root = self.unary("sqrt", &parts.sign);
        let one = self.constant(1.0, &[]);
        let rest = self.binary("subtract", &root, &root);
        let unit = self.binary("add", &rest, &one);
        self.binary("multiply", &unit, &parts.logarithm)
    }

    /// det A
    pub(super) fn determinant(&mut self, a: &Tile) -> Tile {
        let none = self.constant(0.0, &[a.axes[0], 1]);
        self.eliminate(a, &none).determinant
    }

    /// A^k, k at least 1.
    pub(super) fn power(&mut self, a: &Tile, k: i64) -> Tile {
        let mut out: Option<Tile> = None;
        let mut square = a.clone();
        let mut rest = k;
        while rest > 0 {
            if rest % 2 == 1 {
                out = Some(match out {
                    Some(known) => self.dot(&known, &square, [1, 0]),
                    None => square.clone(),
                });
            }
            rest /= 2;
            if rest > 0 {
                square = self.dot(&square, &square, [1, 0]);
            }
        }
        out.unwrap_or(square)
    }

    /// [A, E; 0, A], whose function has the derivative along E above its diagonal.
    pub(super) fn block_along(&mut self, a: &Tile, e: &Tile) -> Tile {
        let n = a.axes[0];
        let zero = self.constant(0.0, &[n, n]);
        let (above, below) = (self.beside(a, e, 1), self.beside(&zero, a, 1));
        self.beside(&above, &below, 0)
    }

    /// The upper right quarter.
    pub(super) fn quarter(&mut self, a: &Tile) -> Tile {
        let n = a.axes[0] / 2;
        let axes = [n, n];
        let right =
            format!("stablehlo.slice {} [0:{n}, {n}:{}] : ({}) -> {}", a.name, 2 * n, kind(&a.axes), kind(&axes));
        self.line(&right, &axes)
    }

    fn beside(&mut self, a: &Tile, b: &Tile, dim: usize) -> Tile {
        let mut axes = a.axes.clone();
        axes[dim] += b.axes[dim];
        self.joined(&[a.clone(), b.clone()], dim, &axes)
    }

    /// exp(A): halved s times, the quotient of two polynomials, squared s times.
    pub(super) fn exponential(&mut self, a: &Tile) -> Tile {
        let (n, axes) = (a.axes[0], a.axes.clone());
        let size = self.unary("abs", a);
        let sums = self.reduce("add", 0.0, &size, &[0]);
        let norm = self.reduce("maximum", 0.0, &sums, &[0]);
        let (limit, two) = (self.constant(PADE_NORM, &[]), self.constant(2.0, &[]));
        let ratio = self.binary("divide", &norm, &limit);
        let (log, log_two) = (self.unary("log", &ratio), self.unary("log", &two));
        let halvings = self.binary("divide", &log, &log_two);
        let halvings = self.unary("ceil", &halvings);
        let none = self.constant(0.0, &[]);
        let halvings = self.binary("maximum", &halvings, &none);
        let scale = self.binary("power", &two, &halvings);
        let wide = self.broadcast(&scale, &[], &axes);
        let x = self.binary("divide", a, &wide);
        let x2 = self.dot(&x, &x, [1, 0]);
        let mut even = self.constant(0.0, &axes);
        let mut odd = self.constant(0.0, &axes);
        let mut power = self.identity(n);
        for pair in PADE.chunks(2) {
            for (sum, &coefficient) in [&mut even, &mut odd].into_iter().zip(pair) {
                let factor = self.constant(coefficient, &axes);
                let term = self.binary("multiply", &factor, &power);
                *sum = self.binary("add", sum, &term);
            }
            power = self.dot(&power, &x2, [1, 0]);
        }
        let odd = self.dot(&x, &odd, [1, 0]);
        let (above, below) = (self.binary("add", &even, &odd), self.binary("subtract", &even, &odd));
        let quotient = self.solve(&below, &above);
        self.function(&format!("squared_{n}"), || squarings(n));
        let right = format!(
            "call @squared_{n}({}, {}) : ({}, tensor<f64>) -> {}",
            quotient.name,
            halvings.name,
            kind(&axes),
            kind(&axes)
        );
        self.line(&right, &axes)
    }

    /// The lower triangle, column by column.
    pub(super) fn half(&mut self, a: &Tile, axes: &[i64]) -> Tile {
        let n = a.axes[0];
        let mut parts = Vec::new();
        for j in 0..n {
            let own = [n - j, 1];
            let right =
                format!("stablehlo.slice {} [{j}:{n}, {j}:{}] : ({}) -> {}", a.name, j + 1, kind(&a.axes), kind(&own));
            let column = self.line(&right, &own);
            parts.push(self.reshape(&column, &[n - j]));
        }
        self.joined(&parts, 0, axes)
    }

    /// The lower triangular matrix of its columns below the diagonal.
    pub(super) fn unfolded_half(&mut self, v: &Tile, axes: &[i64]) -> Tile {
        let n = axes[0];
        let zero = self.constant(0.0, &[]);
        let mut parts = Vec::new();
        let mut start = 0;
        for j in 0..n {
            let own = [n - j];
            let right = format!(
                "stablehlo.slice {} [{start}:{}] : ({}) -> {}",
                v.name,
                start + n - j,
                kind(&v.axes),
                kind(&own)
            );
            let column = self.line(&right, &own);
            start += n - j;
            let right = format!(
                "stablehlo.pad {}, {}, low = [{j}], high = [0], interior = [0] : ({}, tensor<f64>) -> {}",
                column.name,
                zero.name,
                kind(&own),
                kind(&[n])
            );
            let whole = self.line(&right, &[n]);
            parts.push(self.reshape(&whole, &[n, 1]));
        }
        self.joined(&parts, 1, axes)
    }

    /// Tiles one behind the other along an axis.
    pub(super) fn joined(&mut self, parts: &[Tile], dim: usize, axes: &[i64]) -> Tile {
        let names: Vec<&str> = parts.iter().map(|tile| tile.name.as_str()).collect();
        let kinds: Vec<String> = parts.iter().map(|tile| kind(&tile.axes)).collect();
        let right = format!(
            "stablehlo.concatenate {}, dim = {dim} : ({}) -> {}",
            names.join(", "),
            kinds.join(", "),
            kind(axes)
        );
        self.line(&right, axes)
    }
}

/// X squared so many times.
fn squarings(n: i64) -> String {
    let x = kind(&[n, n]);
    format!(
        "  // x squared `times` times.
  func.func private @squared_{n}(%x: {x}, %times: tensor<f64>) -> {x} {{
    %one = stablehlo.constant dense<1.0> : tensor<f64>
    %none = stablehlo.constant dense<0.0> : tensor<f64>
    %out:2 = stablehlo.while(%left = %times, %y = %x) : tensor<f64>, {x}
    cond {{
      %more = stablehlo.compare GT, %left, %none, FLOAT : (tensor<f64>, tensor<f64>) -> tensor<i1>
      stablehlo.return %more : tensor<i1>
    }} do {{
      %next = stablehlo.subtract %left, %one : tensor<f64>
      %z = stablehlo.dot_general %y, %y, contracting_dims = [1] x [0] : ({x}, {x}) -> {x}
      stablehlo.return %next, %z : tensor<f64>, {x}
    }}
    return %out#1 : {x}
  }}
"
    )
}

/// Gauss-Jordan elimination of an n×n matrix beside k right sides.
fn elimination(n: i64, k: i64) -> String {
    let m = n + k;
    let (a, b, w) = (kind(&[n, n]), kind(&[n, k]), kind(&[n, m]));
    let (row, column, numbers) = (kind(&[1, m]), kind(&[n, 1]), kind(&[n]));
    format!(
        "  // a^-1 b, the sign of det(a), det(a) and log|det(a)|, by Gauss-Jordan elimination with pivots by columns. Of a
  // singular matrix the first is not a number.
  func.func private @eliminate_{n}x{k}(%a: {a}, %b: {b}) -> ({b}, tensor<f64>, tensor<f64>, tensor<f64>) {{
    %first = stablehlo.constant dense<0> : tensor<i32>
    %step = stablehlo.constant dense<1> : tensor<i32>
    %n = stablehlo.constant dense<{n}> : tensor<i32>
    %zero = stablehlo.constant dense<0.0> : tensor<f64>
    %one = stablehlo.constant dense<1.0> : tensor<f64>
    %minus = stablehlo.constant dense<-1.0> : tensor<f64>
    %minuses = stablehlo.constant dense<-1.0> : {numbers}
    %zeros = stablehlo.constant dense<0.0> : {column}
    %ends = stablehlo.constant dense<{n}> : tensor<{n}xi32>
    %rows = stablehlo.iota dim = 0 : tensor<{n}xi32>
    %w = stablehlo.concatenate %a, %b, dim = 1 : ({a}, {b}) -> {w}
    %out:5 = stablehlo.while(%i = %first, %x = %w, %sign = %one, %det = %one, %log = %zero) : tensor<i32>, {w}, tensor<f64>, tensor<f64>, tensor<f64>
    cond {{
      %more = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %more : tensor<i1>
    }} do {{
      %at = stablehlo.broadcast_in_dim %i, dims = [] : (tensor<i32>) -> tensor<{n}xi32>
      %column = stablehlo.dynamic_slice %x, %first, %i, sizes = [{n}, 1] : ({w}, tensor<i32>, tensor<i32>) -> {column}
      %entries = stablehlo.reshape %column : ({column}) -> {numbers}
      %size = stablehlo.abs %entries : {numbers}
      %below = stablehlo.compare GE, %rows, %at, SIGNED : (tensor<{n}xi32>, tensor<{n}xi32>) -> tensor<{n}xi1>
      %allowed = stablehlo.select %below, %size, %minuses : tensor<{n}xi1>, {numbers}
      %largest = stablehlo.reduce(%allowed init: %minus) applies stablehlo.maximum across dimensions = [0] : ({numbers}, tensor<f64>) -> tensor<f64>
      %limit = stablehlo.broadcast_in_dim %largest, dims = [] : (tensor<f64>) -> {numbers}
      %is_largest = stablehlo.compare GE, %allowed, %limit, FLOAT : ({numbers}, {numbers}) -> tensor<{n}xi1>
      %places = stablehlo.select %is_largest, %rows, %ends : tensor<{n}xi1>, tensor<{n}xi32>
      %p = stablehlo.reduce(%places init: %n) applies stablehlo.minimum across dimensions = [0] : (tensor<{n}xi32>, tensor<i32>) -> tensor<i32>
      %old = stablehlo.dynamic_slice %x, %i, %first, sizes = [1, {m}] : ({w}, tensor<i32>, tensor<i32>) -> {row}
      %new = stablehlo.dynamic_slice %x, %p, %first, sizes = [1, {m}] : ({w}, tensor<i32>, tensor<i32>) -> {row}
      %x1 = stablehlo.dynamic_update_slice %x, %new, %i, %first : ({w}, {row}, tensor<i32>, tensor<i32>) -> {w}
      %x2 = stablehlo.dynamic_update_slice %x1, %old, %p, %first : ({w}, {row}, tensor<i32>, tensor<i32>) -> {w}
      %x3 = stablehlo.dynamic_update_slice %x2, %new, %i, %first : ({w}, {row}, tensor<i32>, tensor<i32>) -> {w}
      %corner = stablehlo.dynamic_slice %new, %first, %i, sizes = [1, 1] : ({row}, tensor<i32>, tensor<i32>) -> tensor<1x1xf64>
      %pivot = stablehlo.reshape %corner : (tensor<1x1xf64>) -> tensor<f64>
      %is_zero = stablehlo.compare EQ, %pivot, %zero, FLOAT : (tensor<f64>, tensor<f64>) -> tensor<i1>
      %divisor = stablehlo.select %is_zero, %one, %pivot : tensor<i1>, tensor<f64>
      %divisors = stablehlo.broadcast_in_dim %divisor, dims = [] : (tensor<f64>) -> {row}
      %row = stablehlo.divide %new, %divisors : {row}
      %next_column = stablehlo.dynamic_slice %x3, %first, %i, sizes = [{n}, 1] : ({w}, tensor<i32>, tensor<i32>) -> {column}
      %is_here = stablehlo.compare EQ, %rows, %at, SIGNED : (tensor<{n}xi32>, tensor<{n}xi32>) -> tensor<{n}xi1>
      %here = stablehlo.reshape %is_here : (tensor<{n}xi1>) -> tensor<{n}x1xi1>
      %factors = stablehlo.select %here, %zeros, %next_column : tensor<{n}x1xi1>, {column}
      %taken = stablehlo.dot_general %factors, %row, contracting_dims = [1] x [0] : ({column}, {row}) -> {w}
      %x4 = stablehlo.subtract %x3, %taken : {w}
      %x5 = stablehlo.dynamic_update_slice %x4, %row, %i, %first : ({w}, {row}, tensor<i32>, tensor<i32>) -> {w}
      %same = stablehlo.compare EQ, %i, %p, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      %swapped = stablehlo.select %same, %one, %minus : tensor<i1>, tensor<f64>
      %own_sign = stablehlo.sign %pivot : tensor<f64>
      %sign1 = stablehlo.multiply %sign, %swapped : tensor<f64>
      %sign2 = stablehlo.multiply %sign1, %own_sign : tensor<f64>
      %det1 = stablehlo.multiply %det, %swapped : tensor<f64>
      %det2 = stablehlo.multiply %det1, %pivot : tensor<f64>
      %own_size = stablehlo.abs %pivot : tensor<f64>
      %own_log = stablehlo.log %own_size : tensor<f64>
      %log1 = stablehlo.add %log, %own_log : tensor<f64>
      %next = stablehlo.add %i, %step : tensor<i32>
      stablehlo.return %next, %x5, %sign2, %det2, %log1 : tensor<i32>, {w}, tensor<f64>, tensor<f64>, tensor<f64>
    }}
    %right = stablehlo.slice %out#1 [0:{n}, {n}:{m}] : ({w}) -> {b}
    %sure = stablehlo.divide %out#2, %out#2 : tensor<f64>
    %sures = stablehlo.broadcast_in_dim %sure, dims = [] : (tensor<f64>) -> {b}
    %solution = stablehlo.multiply %right, %sures : {b}
    return %solution, %out#2, %out#3, %out#4 : {b}, tensor<f64>, tensor<f64>, tensor<f64>
  }}
"
    )
}
