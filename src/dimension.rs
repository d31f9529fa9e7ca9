//! Dimensions: what comes in is names, positive integers, sums and products of those; what goes out is a polynomial in a
//! normal form, interned, so that two dimensions are equal exactly when their ids are. No number is bound here.

use std::collections::HashMap;

/// A dimension of a [`Dimensions`] table. Equal ids are equal polynomials, and the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DimId(u32);

impl DimId {
    /// The dimension 1; every table holds it at this place.
    pub const ONE: DimId = DimId(0);
}

/// A name of a dimension within a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DimName(u32);

/// A polynomial with integer coefficients: monomials (sorted names with repetition) in falling degree, then by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Polynomial(Vec<(Vec<DimName>, i64)>);

/// Rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Number of rows.
    pub rows: DimId,
    /// Number of columns.
    pub columns: DimId,
}

impl Shape {
    /// 1×1.
    pub const SCALAR: Shape = Shape { rows: DimId::ONE, columns: DimId::ONE };

    /// Rows by columns.
    pub fn new(rows: DimId, columns: DimId) -> Shape {
        Shape { rows, columns }
    }

    /// A column of that length.
    pub fn column(rows: DimId) -> Shape {
        Shape { rows, columns: DimId::ONE }
    }

    /// Columns by rows.
    pub fn transposed(self) -> Shape {
        Shape { rows: self.columns, columns: self.rows }
    }

    /// 1×1.
    pub fn is_scalar(self) -> bool {
        self == Shape::SCALAR
    }

    /// n×1 with n not 1.
    pub fn is_column(self) -> bool {
        self.columns == DimId::ONE && self.rows != DimId::ONE
    }

    /// 1×n with n not 1.
    pub fn is_row(self) -> bool {
        self.rows == DimId::ONE && self.columns != DimId::ONE
    }

    /// As many rows as columns.
    pub fn is_square(self) -> bool {
        self.rows == self.columns
    }
}

impl Polynomial {
    fn constant(value: i64) -> Polynomial {
        Polynomial(if value == 0 { Vec::new() } else { vec![(Vec::new(), value)] })
    }

    fn normal(terms: impl IntoIterator<Item = (Vec<DimName>, i64)>) -> Option<Polynomial> {
        let mut sorted: Vec<(Vec<DimName>, i64)> = terms.into_iter().collect();
        sorted.sort_unstable_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        let mut out: Vec<(Vec<DimName>, i64)> = Vec::with_capacity(sorted.len());
        for (names, k) in sorted {
            match out.last_mut() {
                Some((last, sum)) if *last == names => *sum = sum.checked_add(k)?,
                _ => out.push((names, k)),
            }
        }
        out.retain(|&(_, k)| k != 0);
        Some(Polynomial(out))
    }

    /// The monomials and their coefficients.
    pub fn terms(&self) -> &[(Vec<DimName>, i64)] {
        &self.0
    }
}

/// The dimensions of one program: names and interned polynomials.
#[derive(Clone, Debug)]
pub struct Dimensions {
    names: Vec<String>,
    by_name: HashMap<String, DimName>,
    polynomials: Vec<Polynomial>,
    ids: HashMap<Polynomial, DimId>,
    /// Names that stand for d·(d+1)/2, which has no integer coefficients.
    triangles: HashMap<DimName, DimId>,
}

/// How many names, counted with repetition, a polynomial may hold. A user's dimensions are far below it; repeated
/// Kronecker products would otherwise double the degree each time.
const MAX_SIZE: usize = 4096;

impl Default for Dimensions {
    fn default() -> Self {
        let mut table = Dimensions {
            names: Vec::new(),
            by_name: HashMap::new(),
            polynomials: Vec::new(),
            ids: HashMap::new(),
            triangles: HashMap::new(),
        };
        let one = table.intern(Polynomial::constant(1));
        debug_assert_eq!(one, DimId::ONE);
        table
    }
}

impl Dimensions {
    /// The polynomial behind an id.
    pub fn polynomial(&self, id: DimId) -> &Polynomial {
        &self.polynomials[id.0 as usize]
    }

    /// The id of a polynomial.
    pub fn intern(&mut self, polynomial: Polynomial) -> DimId {
        if let Some(&id) = self.ids.get(&polynomial) {
            return id;
        }
        let id = DimId(u32::try_from(self.polynomials.len()).expect("fewer than 2^32 dimensions"));
        self.polynomials.push(polynomial.clone());
        self.ids.insert(polynomial, id);
        id
    }

    /// The dimension of that name, new or known.
    pub fn named(&mut self, name: &str) -> DimId {
        let name = self.name_of(name);
        self.intern(Polynomial(vec![(vec![name], 1)]))
    }

    /// The name's own id, new or known.
    pub fn name_of(&mut self, name: &str) -> DimName {
        if let Some(&id) = self.by_name.get(name) {
            return id;
        }
        let id = DimName(u32::try_from(self.names.len()).expect("fewer than 2^32 names"));
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// The id of a name that is there already.
    pub fn known_name(&self, name: &str) -> Option<DimName> {
        self.by_name.get(name).copied()
    }

    /// All names as text.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The name as text.
    pub fn name(&self, name: DimName) -> &str {
        &self.names[name.0 as usize]
    }

    /// A number as a dimension.
    pub fn constant(&mut self, value: i64) -> DimId {
        self.intern(Polynomial::constant(value))
    }

    /// The value of a dimension without names.
    pub fn as_constant(&self, id: DimId) -> Option<i64> {
        match self.polynomial(id).terms() {
            [] => Some(0),
            [(names, k)] if names.is_empty() => Some(*k),
            _ => None,
        }
    }

    /// The name of a dimension that is one name and nothing else.
    pub fn as_name(&self, id: DimId) -> Option<DimName> {
        match self.polynomial(id).terms() {
            [(names, 1)] if names.len() == 1 => Some(names[0]),
            _ => None,
        }
    }

    /// The number of entries of a triangle with its diagonal, d·(d+1)/2, as a name of its own unless d is a number;
    /// `None` where it grows out of bounds.
    pub fn triangle(&mut self, d: DimId) -> Option<DimId> {
        if let Some(value) = self.as_constant(d) {
            return Some(self.constant(value.checked_mul(value.checked_add(1)?)? / 2));
        }
        let next = self.sum(d, DimId::ONE)?;
        let text = match self.as_name(d) {
            Some(_) => format!("{}*({})/2", self.text(d), self.text(next)),
            None => format!("({})*({})/2", self.text(d), self.text(next)),
        };
        if text.len() > MAX_SIZE {
            return None;
        }
        let name = self.name_of(&text);
        self.triangles.insert(name, d);
        Some(self.named(&text))
    }

    /// The d of a name that stands for d·(d+1)/2.
    pub fn side_of_triangle(&self, name: DimName) -> Option<DimId> {
        self.triangles.get(&name).copied()
    }

    fn size(&self, id: DimId) -> usize {
        self.polynomial(id).terms().iter().map(|(names, _)| names.len() + 1).sum()
    }

    /// a + b; `None` where it grows out of bounds.
    pub fn sum(&mut self, a: DimId, b: DimId) -> Option<DimId> {
        if self.size(a) + self.size(b) > MAX_SIZE {
            return None;
        }
        let terms = self.polynomial(a).0.iter().chain(&self.polynomial(b).0).cloned();
        let out = Polynomial::normal(terms)?;
        Some(self.intern(out))
    }

    /// a·b; `None` where it grows out of bounds.
    pub fn product(&mut self, a: DimId, b: DimId) -> Option<DimId> {
        if a == DimId::ONE {
            return Some(b);
        }
        if b == DimId::ONE {
            return Some(a);
        }
        if self.size(a).saturating_mul(self.size(b)) > MAX_SIZE {
            return None;
        }
        let mut terms = Vec::new();
        for (left, j) in self.polynomial(a).terms() {
            for (right, k) in self.polynomial(b).terms() {
                let mut names = [left.as_slice(), right.as_slice()].concat();
                names.sort_unstable();
                terms.push((names, j.checked_mul(*k)?));
            }
        }
        let out = Polynomial::normal(terms)?;
        Some(self.intern(out))
    }

    /// a − b; `None` where it grows out of bounds.
    pub fn difference(&mut self, a: DimId, b: DimId) -> Option<DimId> {
        let minus = self.constant(-1);
        let negative = self.product(b, minus)?;
        self.sum(a, negative)
    }

    /// The dimension with names replaced; `None` where it grows out of bounds.
    pub fn substitute(&mut self, id: DimId, with: &HashMap<DimName, DimId>) -> Option<DimId> {
        let terms = self.polynomial(id).0.clone();
        let changes = |name: &DimName| with.contains_key(name) || self.triangles.contains_key(name);
        if !terms.iter().flat_map(|(names, _)| names).any(changes) {
            return Some(id);
        }
        let mut total = self.constant(0);
        for (names, k) in terms {
            let mut term = self.constant(k);
            for name in names {
                let side = self.side_of_triangle(name);
                let factor = match with.get(&name) {
                    Some(&dimension) => dimension,
                    None if side.is_some() => {
                        let side = self.substitute(side?, with)?;
                        self.triangle(side)?
                    }
                    None => self.intern(Polynomial(vec![(vec![name], 1)])),
                };
                term = self.product(term, factor)?;
            }
            total = self.sum(total, term)?;
        }
        Some(total)
    }

    /// The value at numbers for the names; `None` where a name has none or the value leaves 64 bits.
    pub fn value(&self, id: DimId, of: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
        let mut total = 0_i64;
        for (names, k) in self.polynomial(id).terms() {
            let mut term = *k;
            for &name in names {
                let factor = match self.side_of_triangle(name) {
                    Some(side) => self.value(side, of).and_then(|d| Some(d.checked_mul(d.checked_add(1)?)? / 2))?,
                    None => of(self.name(name))?,
                };
                term = term.checked_mul(factor)?;
            }
            total = total.checked_add(term)?;
        }
        Some(total)
    }

    /// The terms with those that are subtracted last: `m-n`, for `-n+m` is no dimension of the language.
    pub fn terms_for_reading(&self, id: DimId) -> impl Iterator<Item = &(Vec<DimName>, i64)> {
        let terms = self.polynomial(id).terms();
        terms.iter().filter(|(_, k)| *k >= 0).chain(terms.iter().filter(|(_, k)| *k < 0))
    }

    /// As typed in the language: `2*n`, `m+n`, `n*(n+1)/2`.
    pub fn text(&self, id: DimId) -> String {
        let mut out = String::new();
        for (names, k) in self.terms_for_reading(id) {
            if !out.is_empty() || *k < 0 {
                out.push(if *k < 0 { '-' } else { '+' });
            }
            let size = k.unsigned_abs();
            if names.is_empty() || size != 1 {
                out.push_str(&size.to_string());
            }
            for (i, &name) in names.iter().enumerate() {
                if i > 0 || size != 1 {
                    out.push('*');
                }
                out.push_str(self.name(name));
            }
        }
        if out.is_empty() { "0".to_owned() } else { out }
    }
}

#[cfg(test)]
mod tests {
    use super::{DimId, Dimensions};

    #[test]
    fn equal_polynomials_have_equal_ids() {
        let mut table = Dimensions::default();
        let (m, n) = (table.named("m"), table.named("n"));
        let (a, b) = (table.sum(m, n).unwrap(), table.sum(n, m).unwrap());
        assert_eq!(a, b);
        assert_eq!(table.text(a), "m+n");
        let square = table.product(a, b).unwrap();
        assert_eq!(table.text(square), "m*m+2*m*n+n*n");
        assert_eq!(table.difference(a, n), Some(m));
        assert_eq!(table.product(DimId::ONE, n), Some(n));
        assert_eq!(table.value(square, &|name| Some(if name == "m" { 2 } else { 3 })), Some(25));
    }

    #[test]
    fn triangles_follow_their_side() {
        let mut table = Dimensions::default();
        let n = table.named("n");
        let triangle = table.triangle(n).unwrap();
        assert_eq!(table.text(triangle), "n*(n+1)/2");
        assert_eq!(table.value(triangle, &|_| Some(3)), Some(6));
        let (name, three) = (table.name_of("n"), table.constant(3));
        let six = table.substitute(triangle, &[(name, three)].into()).unwrap();
        assert_eq!(table.as_constant(six), Some(6));
    }

    #[test]
    fn dimensions_out_of_bounds_are_refused() {
        let mut table = Dimensions::default();
        let mut power = Some(table.named("n"));
        for _ in 0..60 {
            power = power.and_then(|d| table.product(d, d));
        }
        assert_eq!(power, None);
    }
}
