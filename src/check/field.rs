//! Arithmetic without rounding: numbers modulo the prime 2^61 − 1, each with a slope that follows the rules of
//! derivatives, and matrices of them. A rational identity that fails here is false; one that holds at random numbers is
//! true but for a chance of about degree/2^61 (Schwartz 1980, Zippel 1979).

/// The Mersenne prime 2^61 − 1.
pub const PRIME: u64 = (1 << 61) - 1;

/// v + s·ε with ε² = 0, both modulo [`PRIME`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dual {
    /// The value.
    pub value: u64,
    /// What the value changes by, to first order.
    pub slope: u64,
}

/// a + b modulo the prime.
pub fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

/// −a modulo the prime.
pub fn negate(a: u64) -> u64 {
    if a == 0 { 0 } else { PRIME - a }
}

/// a·b modulo the prime.
pub fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    add((product as u64) & PRIME, (product >> 61) as u64)
}

/// a^k modulo the prime.
pub fn power(mut a: u64, mut k: u64) -> u64 {
    let mut out = 1;
    while k > 0 {
        if k & 1 == 1 {
            out = times(out, a);
        }
        a = times(a, a);
        k >>= 1;
    }
    out
}

/// 1/a modulo the prime; `None` for zero.
pub fn inverse(a: u64) -> Option<u64> {
    // By Euclid: a·x ≡ gcd.
    let (mut r0, mut r1) = (PRIME as i64, a as i64);
    let (mut x0, mut x1) = (0_i64, 1_i64);
    while r1 != 0 {
        let q = r0 / r1;
        (r0, r1) = (r1, r0 - q * r1);
        (x0, x1) = (x1, x0.wrapping_sub(q.wrapping_mul(x1)));
    }
    (r0 == 1).then(|| if x0 < 0 { (x0 + PRIME as i64) as u64 } else { x0 as u64 })
}

/// An integer modulo the prime.
pub fn integer(value: i64) -> u64 {
    value.rem_euclid(PRIME as i64) as u64
}

/// A square root where there is one: a^((p+1)/4), since p ≡ 3 modulo 4.
pub fn square_root(a: u64) -> Option<u64> {
    let root = power(a, 1 << 59);
    (times(root, root) == a).then_some(root)
}

impl Dual {
    /// 0.
    pub const ZERO: Dual = Dual { value: 0, slope: 0 };
    /// 1.
    pub const ONE: Dual = Dual { value: 1, slope: 0 };

    /// A number that does not move.
    pub fn constant(value: u64) -> Dual {
        Dual { value, slope: 0 }
    }

    /// self + other.
    pub fn plus(self, other: Dual) -> Dual {
        Dual { value: add(self.value, other.value), slope: add(self.slope, other.slope) }
    }

    /// −self.
    pub fn negated(self) -> Dual {
        Dual { value: negate(self.value), slope: negate(self.slope) }
    }

    /// self − other.
    pub fn minus(self, other: Dual) -> Dual {
        self.plus(other.negated())
    }

    /// self·other.
    pub fn by(self, other: Dual) -> Dual {
        let value = times(self.value, other.value);
        if self.slope | other.slope == 0 {
            return Dual { value, slope: 0 };
        }
        Dual { value, slope: add(times(self.value, other.slope), times(self.slope, other.value)) }
    }

    /// 1/self; `None` where the value is zero.
    pub fn inverse(self) -> Option<Dual> {
        let value = inverse(self.value)?;
        let slope = if self.slope == 0 { 0 } else { negate(times(self.slope, times(value, value))) };
        Some(Dual { value, slope })
    }

    /// self^k for an integer k; `None` for a negative power of zero.
    pub fn power(self, k: i64) -> Option<Dual> {
        let mut base = if k < 0 { self.inverse()? } else { self };
        let mut rest = k.unsigned_abs();
        let mut out = Dual::ONE;
        while rest > 0 {
            if rest & 1 == 1 {
                out = out.by(base);
            }
            base = base.by(base);
            rest >>= 1;
        }
        Some(out)
    }
}

/// A matrix of [`Dual`] numbers, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// The entries row by row.
    pub entries: Vec<Dual>,
}

impl Exact {
    /// The entry at row i and column j is `f(i, j)`.
    pub fn from_fn(rows: usize, columns: usize, mut f: impl FnMut(usize, usize) -> Dual) -> Exact {
        let mut entries = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            entries.extend((0..columns).map(|j| f(i, j)));
        }
        Exact { rows, columns, entries }
    }

    /// 1×1.
    pub fn scalar(value: Dual) -> Exact {
        Exact { rows: 1, columns: 1, entries: vec![value] }
    }

    /// One value everywhere.
    pub fn filled(rows: usize, columns: usize, value: Dual) -> Exact {
        Exact { rows, columns, entries: vec![value; rows * columns] }
    }

    /// The identity.
    pub fn identity(n: usize) -> Exact {
        Exact::from_fn(n, n, |i, j| if i == j { Dual::ONE } else { Dual::ZERO })
    }

    /// The entry at row i and column j.
    pub fn at(&self, i: usize, j: usize) -> Dual {
        self.entries[i * self.columns + j]
    }

    /// Whether any entry moves.
    pub fn moves(&self) -> bool {
        self.entries.iter().any(|x| x.slope != 0)
    }

    /// The slopes as numbers that do not move.
    pub fn slopes(&self) -> Exact {
        self.map(|x| Dual::constant(x.slope))
    }

    /// f of each entry.
    pub fn map(&self, f: impl Fn(Dual) -> Dual) -> Exact {
        Exact { entries: self.entries.iter().map(|&x| f(x)).collect(), ..*self }
    }

    /// f of each entry; `None` where it is `None` of one.
    pub fn try_map(&self, f: impl FnMut(Dual) -> Option<Dual>) -> Option<Exact> {
        Some(Exact { entries: self.entries.iter().copied().map(f).collect::<Option<Vec<Dual>>>()?, ..*self })
    }

    /// f of each pair of entries; either may be a scalar. `None` where the shapes do not fit.
    pub fn pairs(&self, other: &Exact, mut f: impl FnMut(Dual, Dual) -> Option<Dual>) -> Option<Exact> {
        if (self.rows, self.columns) == (other.rows, other.columns) {
            let entries: Option<Vec<Dual>> = self.entries.iter().zip(&other.entries).map(|(&a, &b)| f(a, b)).collect();
            return Some(Exact { entries: entries?, ..*self });
        }
        if other.entries.len() == 1 {
            let b = other.entries[0];
            return self.try_map(|a| f(a, b));
        }
        if self.entries.len() == 1 {
            let a = self.entries[0];
            return other.try_map(|b| f(a, b));
        }
        None
    }

    /// Σ of all entries.
    pub fn sum(&self) -> Dual {
        self.entries.iter().fold(Dual::ZERO, |sum, &x| sum.plus(x))
    }

    /// Σ of the products of entries of equal shapes.
    pub fn dot(&self, other: &Exact) -> Dual {
        self.entries.iter().zip(&other.entries).fold(Dual::ZERO, |sum, (&a, &b)| sum.plus(a.by(b)))
    }

    /// Rows become columns.
    pub fn transpose(&self) -> Exact {
        Exact::from_fn(self.columns, self.rows, |i, j| self.at(j, i))
    }

    /// The matrix product; `None` where the inner sizes differ.
    pub fn multiply(&self, other: &Exact) -> Option<Exact> {
        if self.columns != other.rows {
            return None;
        }
        Some(Exact::from_fn(self.rows, other.columns, |i, j| {
            (0..self.columns).fold(Dual::ZERO, |sum, k| sum.plus(self.at(i, k).by(other.at(k, j))))
        }))
    }

    /// The same entries column by column in another shape; `None` where their number differs.
    pub fn reshape(&self, rows: usize, columns: usize) -> Option<Exact> {
        (rows * columns == self.entries.len()).then(|| {
            Exact::from_fn(rows, columns, |i, j| {
                let place = j * rows + i;
                self.at(place % self.rows, place / self.rows)
            })
        })
    }

    /// The inverse and the determinant by elimination; no inverse where the determinant is zero. `None` where the matrix
    /// is not square.
    pub fn eliminate(&self) -> Option<(Option<Exact>, Dual)> {
        if self.rows != self.columns {
            return None;
        }
        let n = self.rows;
        let mut a = self.clone();
        let mut out = Exact::identity(n);
        let mut determinant = Dual::ONE;
        for k in 0..n {
            let Some(pivot_row) = (k..n).find(|&i| a.at(i, k).value != 0) else {
                // With the slope unknown of a determinant that is zero nothing can be said about a moving matrix.
                return (!self.moves()).then_some((None, Dual::ZERO));
            };
            if pivot_row != k {
                for j in 0..n {
                    a.entries.swap(k * n + j, pivot_row * n + j);
                    out.entries.swap(k * n + j, pivot_row * n + j);
                }
                determinant = determinant.negated();
            }
            let pivot = a.at(k, k);
            determinant = determinant.by(pivot);
            let factor = pivot.inverse()?;
            for j in 0..n {
                a.entries[k * n + j] = a.at(k, j).by(factor);
                out.entries[k * n + j] = out.at(k, j).by(factor);
            }
            for i in (0..n).filter(|&i| i != k) {
                let factor = a.at(i, k);
                if factor == Dual::ZERO {
                    continue;
                }
                for j in 0..n {
                    a.entries[i * n + j] = a.at(i, j).minus(factor.by(a.at(k, j)));
                    out.entries[i * n + j] = out.at(i, j).minus(factor.by(out.at(k, j)));
                }
            }
        }
        Some((Some(out), determinant))
    }

    /// The inverse; `None` where there is none.
    pub fn inverse(&self) -> Option<Exact> {
        self.eliminate()?.0
    }

    /// The integer power of a square matrix; `None` where there is none.
    pub fn integer_power(&self, k: i64) -> Option<Exact> {
        let mut base = if k < 0 { self.inverse()? } else { self.clone() };
        let mut rest = k.unsigned_abs();
        let mut out = Exact::identity(self.rows);
        while rest > 0 {
            if rest & 1 == 1 {
                out = out.multiply(&base)?;
            }
            rest >>= 1;
            if rest > 0 {
                base = base.multiply(&base)?;
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dual, Exact, PRIME, integer, inverse, power, square_root, times};

    #[test]
    fn inverses_and_roots_multiply_back() {
        for a in [1, 2, 3, 12_345_678_901_234_567, PRIME - 1, PRIME / 2] {
            assert_eq!(times(a, inverse(a).unwrap()), 1);
            let square = times(a, a);
            let root = square_root(square).unwrap();
            assert!(root == a || root == PRIME - a);
        }
        assert_eq!(inverse(0), None);
        assert_eq!(square_root(PRIME - 1), None, "-1 is no square where p is 3 modulo 4");
        assert_eq!(power(3, PRIME - 1), 1);
        assert_eq!(integer(-2), PRIME - 2);
    }

    #[test]
    fn slopes_follow_the_rules_of_derivatives() {
        let x = Dual { value: 7, slope: 1 };
        assert_eq!(x.power(3), Some(Dual { value: 343, slope: 147 }));
        assert_eq!(x.by(x.inverse().unwrap()), Dual::ONE);
    }

    #[test]
    fn elimination_gives_inverses_determinants_and_their_slopes() {
        let number = |i: usize, j: usize| Dual {
            value: (3 * i * i + 5 * j * j + 7 * i * j + 1) as u64 % 11,
            slope: (i + 3 * j) as u64,
        };
        let a = Exact::from_fn(3, 3, number);
        let (inverse, determinant) = a.eliminate().unwrap();
        let inverse = inverse.unwrap();
        assert_eq!(a.multiply(&inverse), Some(Exact::identity(3)));
        // d det A = det A · tr(A⁻¹ dA)
        let product = inverse.multiply(&a.slopes()).unwrap();
        let trace = (0..3).fold(Dual::ZERO, |t, i| t.plus(product.at(i, i)));
        assert_eq!(determinant.slope, times(determinant.value, trace.value));
        let singular = Exact::from_fn(2, 2, |i, _| Dual::constant(i as u64 + 1));
        assert_eq!(singular.eliminate(), Some((None, Dual::ZERO)));
    }
}
