//! Numbers with a slope (dual numbers, W. K. Clifford 1873): forward differentiation with nothing of the library's
//! calculus, so that a gradient can be compared with an exact directional derivative.

use std::ops::{Add, Div, Mul, Neg, Sub};

use matgrad::matrix::{Matrix, erf};

/// A value and its slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual {
    pub value: f64,
    pub slope: f64,
}

/// A number that stands still.
pub fn still(value: f64) -> Dual {
    Dual { value, slope: 0.0 }
}

impl Add for Dual {
    type Output = Dual;
    fn add(self, b: Dual) -> Dual {
        Dual { value: self.value + b.value, slope: self.slope + b.slope }
    }
}

impl Sub for Dual {
    type Output = Dual;
    fn sub(self, b: Dual) -> Dual {
        Dual { value: self.value - b.value, slope: self.slope - b.slope }
    }
}

impl Mul for Dual {
    type Output = Dual;
    fn mul(self, b: Dual) -> Dual {
        Dual { value: self.value * b.value, slope: self.value * b.slope + self.slope * b.value }
    }
}

impl Div for Dual {
    type Output = Dual;
    fn div(self, b: Dual) -> Dual {
        let value = self.value / b.value;
        Dual { value, slope: (self.slope - value * b.slope) / b.value }
    }
}

impl Neg for Dual {
    type Output = Dual;
    fn neg(self) -> Dual {
        Dual { value: -self.value, slope: -self.slope }
    }
}

impl Dual {
    /// f(x) with f'(x).
    fn with(self, value: f64, derivative: f64) -> Dual {
        // A slope of zero stays zero where the derivative is infinite.
        let slope = if self.slope == 0.0 { 0.0 } else { derivative * self.slope };
        Dual { value, slope }
    }

    pub fn exp(self) -> Dual {
        self.with(self.value.exp(), self.value.exp())
    }

    pub fn log(self) -> Dual {
        self.with(self.value.ln(), 1.0 / self.value)
    }

    pub fn sqrt(self) -> Dual {
        self.with(self.value.sqrt(), 0.5 / self.value.sqrt())
    }

    /// The sign as a factor, 0 at 0.
    pub fn sign(self) -> f64 {
        if self.value > 0.0 {
            1.0
        } else if self.value < 0.0 {
            -1.0
        } else {
            0.0
        }
    }

    /// x^k, by products for an integer that stands still.
    pub fn power(self, k: Dual) -> Dual {
        let whole = k.value.trunc();
        if k.slope == 0.0 && whole == k.value && whole.abs() < 200.0 {
            let mut out = still(1.0);
            for _ in 0..whole.abs() as usize {
                out = out * self;
            }
            return if whole < 0.0 { still(1.0) / out } else { out };
        }
        if self == still(0.0) && k.slope == 0.0 && k.value > 0.0 {
            return self;
        }
        if self.value <= 0.0 {
            // 0^k has a value and often no slope: no point for a test.
            return still(f64::NAN);
        }
        (k * self.log()).exp()
    }

    /// A function of the dictionary that is taken by elements; `None` for another.
    pub fn function(self, name: &str) -> Option<Dual> {
        let x = self.value;
        let sigmoid = 1.0 / (1.0 + (-x).exp());
        let bell = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        let normal = 0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2));
        Some(match name {
            "exp" => self.exp(),
            "log" => self.log(),
            "log1p" => self.with(x.ln_1p(), 1.0 / (1.0 + x)),
            "expm1" => self.with(x.exp_m1(), x.exp()),
            "sqrt" => self.sqrt(),
            "abs" => self.with(x.abs(), self.sign()),
            "sign" => still(self.sign()),
            "sin" => self.with(x.sin(), x.cos()),
            "cos" => self.with(x.cos(), -x.sin()),
            "tan" => self.with(x.tan(), 1.0 / x.cos().powi(2)),
            "asin" | "arcsin" => self.with(x.asin(), 1.0 / (1.0 - x * x).sqrt()),
            "acos" | "arccos" => self.with(x.acos(), -1.0 / (1.0 - x * x).sqrt()),
            "atan" | "arctan" => self.with(x.atan(), 1.0 / (1.0 + x * x)),
            "sinh" => self.with(x.sinh(), x.cosh()),
            "cosh" => self.with(x.cosh(), x.sinh()),
            "tanh" => self.with(x.tanh(), 1.0 / x.cosh().powi(2)),
            "sigmoid" => self.with(sigmoid, sigmoid / (1.0 + x.exp())),
            "softplus" => self.with(x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid),
            "relu" => self.with(x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 }),
            "elu" => self.with(if x > 0.0 { x } else { x.exp_m1() }, x.min(0.0).exp()),
            "gelu" => self.with(x * normal, normal + x * bell),
            "silu" => self.with(x * sigmoid, sigmoid + x * sigmoid / (1.0 + x.exp())),
            "erf" => self.with(erf(x), 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp()),
            "step" => still(if x > 0.0 { 1.0 } else { 0.0 }),
            "square" => self * self,
            "recip" => still(1.0) / self,
            _ => return None,
        })
    }
}

/// A dense matrix of numbers with slopes.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    pub rows: usize,
    pub columns: usize,
    pub entries: Vec<Dual>,
}

/// Why there is no value: a pivot too small, no root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoValue(pub &'static str);

impl Grid {
    pub fn from_fn(rows: usize, columns: usize, mut f: impl FnMut(usize, usize) -> Dual) -> Grid {
        let mut entries = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            for j in 0..columns {
                entries.push(f(i, j));
            }
        }
        Grid { rows, columns, entries }
    }

    pub fn scalar(x: Dual) -> Grid {
        Grid { rows: 1, columns: 1, entries: vec![x] }
    }

    pub fn identity(n: usize) -> Grid {
        Grid::from_fn(n, n, |i, j| still(if i == j { 1.0 } else { 0.0 }))
    }

    /// Values with slopes; slopes of zero where there are none.
    pub fn moving(values: &Matrix, slopes: Option<&Matrix>) -> Grid {
        Grid::from_fn(values.rows(), values.columns(), |i, j| Dual {
            value: values.at(i, j),
            slope: slopes.map_or(0.0, |s| s.at(i, j)),
        })
    }

    pub fn values(&self) -> Matrix {
        Matrix::new(self.rows, self.columns, self.entries.iter().map(|x| x.value).collect())
    }

    pub fn slopes(&self) -> Matrix {
        Matrix::new(self.rows, self.columns, self.entries.iter().map(|x| x.slope).collect())
    }

    pub fn at(&self, i: usize, j: usize) -> Dual {
        self.entries[i * self.columns + j]
    }

    pub fn map(&self, f: impl Fn(Dual) -> Dual) -> Grid {
        Grid { rows: self.rows, columns: self.columns, entries: self.entries.iter().map(|&x| f(x)).collect() }
    }

    /// f of pairs of entries, rows, columns and scalars repeated.
    pub fn pairs(&self, b: &Grid, f: impl Fn(Dual, Dual) -> Dual) -> Grid {
        let (rows, columns) = (self.rows.max(b.rows), self.columns.max(b.columns));
        let take = |a: &Grid, i: usize, j: usize| {
            assert!((a.rows == rows || a.rows == 1) && (a.columns == columns || a.columns == 1), "shapes that fit");
            a.at(if a.rows == 1 { 0 } else { i }, if a.columns == 1 { 0 } else { j })
        };
        Grid::from_fn(rows, columns, |i, j| f(take(self, i, j), take(b, i, j)))
    }

    pub fn is_scalar(&self) -> bool {
        self.entries.len() == 1
    }

    pub fn transpose(&self) -> Grid {
        Grid::from_fn(self.columns, self.rows, |i, j| self.at(j, i))
    }

    pub fn multiply(&self, b: &Grid) -> Grid {
        if self.is_scalar() && b.rows != 1 || b.is_scalar() && self.columns != 1 {
            return self.pairs(b, |x, y| x * y);
        }
        assert_eq!(self.columns, b.rows, "a product's inner sizes");
        Grid::from_fn(self.rows, b.columns, |i, j| {
            (0..self.columns).fold(still(0.0), |sum, k| sum + self.at(i, k) * b.at(k, j))
        })
    }

    pub fn total(&self) -> Dual {
        self.entries.iter().fold(still(0.0), |sum, &x| sum + x)
    }

    /// f of each row, or of each column, to one number each.
    pub fn reduced(&self, along_rows: bool, f: impl Fn(&[Dual]) -> Dual) -> Grid {
        if along_rows {
            let line = |i: usize| (0..self.columns).map(|j| self.at(i, j)).collect::<Vec<_>>();
            Grid::from_fn(self.rows, 1, |i, _| f(&line(i)))
        } else {
            self.transpose().reduced(true, f).transpose()
        }
    }

    /// The inverse and the determinant by Gauss and Jordan with row exchanges.
    pub fn inverse(&self) -> Result<(Grid, Dual), NoValue> {
        let n = self.rows;
        assert_eq!(n, self.columns, "an inverse of a square matrix");
        let (mut a, mut out, mut det) = (self.clone(), Grid::identity(n), still(1.0));
        let size = self.entries.iter().fold(0.0_f64, |l, x| l.max(x.value.abs()));
        for k in 0..n {
            let best = (k..n).max_by(|&i, &j| a.at(i, k).value.abs().total_cmp(&a.at(j, k).value.abs())).unwrap_or(k);
            if !(a.at(best, k).value.abs() > 1e-3 * size) {
                return Err(NoValue("a matrix near a singular one"));
            }
            if best != k {
                for j in 0..n {
                    a.entries.swap(k * n + j, best * n + j);
                    out.entries.swap(k * n + j, best * n + j);
                }
                det = -det;
            }
            let pivot = a.at(k, k);
            det = det * pivot;
            for j in 0..n {
                a.entries[k * n + j] = a.entries[k * n + j] / pivot;
                out.entries[k * n + j] = out.entries[k * n + j] / pivot;
            }
            for i in (0..n).filter(|&i| i != k) {
                let factor = a.at(i, k);
                for j in 0..n {
                    let (x, y) = (a.at(k, j), out.at(k, j));
                    a.entries[i * n + j] = a.entries[i * n + j] - factor * x;
                    out.entries[i * n + j] = out.entries[i * n + j] - factor * y;
                }
            }
        }
        Ok((out, det))
    }

    /// The determinant by cofactors of the first row.
    pub fn determinant(&self) -> Dual {
        let n = self.rows;
        if n == 1 {
            return self.at(0, 0);
        }
        if n > 6 {
            return self.inverse().map_or(still(f64::NAN), |(_, det)| det);
        }
        (0..n).fold(still(0.0), |sum, j| {
            let term = self.at(0, j) * self.minor(0, j).determinant();
            if j % 2 == 0 { sum + term } else { sum - term }
        })
    }

    fn minor(&self, row: usize, column: usize) -> Grid {
        let past = |k: usize, left_out: usize| if k < left_out { k } else { k + 1 };
        Grid::from_fn(self.rows - 1, self.columns - 1, |i, j| self.at(past(i, row), past(j, column)))
    }

    /// The transposed cofactors.
    pub fn adjugate(&self) -> Grid {
        if self.rows == 1 {
            return Grid::identity(1);
        }
        Grid::from_fn(self.rows, self.columns, |i, j| {
            let minor = self.minor(j, i).determinant();
            if (i + j) % 2 == 0 { minor } else { -minor }
        })
    }

    /// The exponential: Taylor's series of the matrix over 2^s, squared s times.
    pub fn exponential(&self) -> Result<Grid, NoValue> {
        let n = self.rows;
        let size = self.entries.iter().fold(0.0_f64, |l, x| l.max(x.value.abs())) * n as f64;
        if !(size < 30.0) {
            return Err(NoValue("a large exponential"));
        }
        let squarings = size.max(1e-3).log2().ceil().max(0.0) as i32 + 2;
        let scaled = self.map(|x| x * still(0.5_f64.powi(squarings)));
        let (mut term, mut out) = (Grid::identity(n), Grid::identity(n));
        for k in 1..20 {
            term = term.multiply(&scaled).map(|x| x / still(f64::from(k)));
            out = out.pairs(&term, |x, y| x + y);
        }
        for _ in 0..squarings {
            out = out.multiply(&out);
        }
        Ok(out)
    }

    /// The lower triangular L with L·Lᵀ the symmetric part.
    pub fn cholesky(&self) -> Result<Grid, NoValue> {
        let n = self.rows;
        let mut out = Grid::from_fn(n, n, |_, _| still(0.0));
        for i in 0..n {
            for j in 0..=i {
                let given = (self.at(i, j) + self.at(j, i)) * still(0.5);
                let rest = (0..j).fold(given, |sum, k| sum - out.at(i, k) * out.at(j, k));
                out.entries[i * n + j] = if i > j {
                    rest / out.at(j, j)
                } else if rest.value > 1e-3 * given.value.abs() && rest.value > 1e-4 {
                    rest.sqrt()
                } else {
                    return Err(NoValue("a factor of what is not positive definite"));
                };
            }
        }
        Ok(out)
    }

    /// The principal square root by the iteration of Denman and Beavers (Appl. Math. Comput. 2 (1976)).
    pub fn root(&self) -> Result<Grid, NoValue> {
        // Positive definite it must be, as the language says.
        self.cholesky()?;
        let (mut y, mut z) = (self.clone(), Grid::identity(self.rows));
        for _ in 0..40 {
            let (y_inverse, z_inverse) = (y.inverse()?.0, z.inverse()?.0);
            let half = |a: &Grid, b: &Grid| a.pairs(b, |x, y| (x + y) * still(0.5));
            (y, z) = (half(&y, &z_inverse), half(&z, &y_inverse));
        }
        Ok(y)
    }

    /// The Moore-Penrose inverse of a matrix of full rank.
    pub fn pseudo_inverse(&self) -> Result<Grid, NoValue> {
        let turned = self.transpose();
        Ok(if self.rows >= self.columns {
            turned.multiply(self).inverse()?.0.multiply(&turned)
        } else {
            turned.multiply(&self.multiply(&turned).inverse()?.0)
        })
    }

    pub fn kron(&self, b: &Grid) -> Grid {
        Grid::from_fn(self.rows * b.rows, self.columns * b.columns, |i, j| {
            self.at(i / b.rows, j / b.columns) * b.at(i % b.rows, j % b.columns)
        })
    }

    /// The same entries, column by column.
    pub fn reshape(&self, rows: usize, columns: usize) -> Grid {
        assert_eq!(rows * columns, self.entries.len(), "a reshaped matrix keeps its entries");
        Grid::from_fn(rows, columns, |i, j| {
            let place = i + j * rows;
            self.at(place % self.rows, place / self.rows)
        })
    }
}
