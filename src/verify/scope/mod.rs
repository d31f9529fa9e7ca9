//! What the names of a text are: variables with shapes and properties, definitions, dimensions, functions known by name
//! only; and the shapes of formulas over them. Shapes of undeclared names are found from their use, line by line; a line
//! that does not fit leaves no trace.

mod forms;

use std::collections::HashMap;
use std::rc::Rc;

use super::sizes::{ONE, Sizes, Symbol};
use crate::diagnostic::Span;
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::elaborate::Properties;
use crate::functions::Function;
use crate::syntax::is_lower_greek;

/// Rows and columns, as dimensions of [`Sizes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
}

/// 1×1.
pub const SCALAR: Form = Form { rows: ONE, columns: ONE };

/// A variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its shape.
    pub form: Form,
    /// Its properties.
    pub properties: Properties,
    /// Whether the text declares it.
    pub declared: bool,
}

/// A definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What it stands for, with its sizes filled in.
    pub body: Formula,
    /// Its shape.
    pub form: Form,
}

/// A function of a number, which acts on each entry: σ(t) = 1/(1 + e⁻ᵗ).
#[derive(Clone, Debug)]
pub struct Defined {
    /// t
    pub parameter: String,
    /// What it is.
    pub body: Formula,
}

/// A matrix for each index: `X_i`. Its name stands for the members, one below the other.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// How many there are.
    pub members: u32,
    /// The shape of each.
    pub member: Form,
}

/// Why a formula has no shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where.
    pub span: Span,
    /// What does not fit.
    pub message: String,
    /// Whose fault it is.
    pub fault: Fault,
}

/// Why something has no shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The formula is wrong.
    Formula,
    /// It may be right, but it is beyond what is covered.
    NotCovered,
}

impl Misfit {
    /// Of a wrong formula.
    pub fn wrong(span: Span, message: impl Into<String>) -> Misfit {
        Misfit { span, message: message.into(), fault: Fault::Formula }
    }

    /// Of what is not covered.
    pub fn not_covered(span: Span, message: impl Into<String>) -> Misfit {
        Misfit { span, message: message.into(), fault: Fault::NotCovered }
    }
}

/// The names of a text.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The dimensions.
    pub sizes: Sizes,
    /// Variables by name.
    pub variables: HashMap<String, Variable>,
    /// Their names in order.
    pub variable_order: Vec<String>,
    /// Definitions by name.
    pub definitions: HashMap<String, Definition>,
    /// Their names in order.
    pub definition_order: Vec<String>,
    /// Functions of a number that the text defines.
    pub functions: HashMap<String, Defined>,
    /// Families of matrices by name.
    pub families: HashMap<String, Family>,
    /// Whether vec puts the rows of a matrix one below the other in second derivatives; its columns otherwise.
    pub rows_first: bool,
    /// Whether an element-wise product may repeat a row or column, as the language allows and books do not.
    pub repeats_in_products: Repeats,
    /// Where the text has a `\cdot`, in order: between two columns it is their inner product.
    pub dots: Rc<[u32]>,
}

/// Whether element-wise products repeat a row or column beside a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// As the language has it.
    #[default]
    Allowed,
    /// As in a book: shapes must be equal, or one a scalar.
    Refused,
}

/// Whether ∂of/∂by is the second derivative of something by one name.
pub fn is_second_by_one(of: &Formula, by: &Formula) -> bool {
    matches!(&of.kind, Kind::Derivative { by: first, .. } if first.as_name().is_some() && first.as_name() == by.as_name())
}

/// The ranges of the indices of one line.
pub type Ranges = HashMap<String, u32>;

impl Scope {
    /// Whether a name stands for something.
    pub fn knows(&self, name: &str) -> bool {
        self.variables.contains_key(name) || self.definitions.contains_key(name) || self.sizes.has_name(name)
    }

    /// The shape of a name that stands for a value.
    pub fn form_of(&self, name: &str) -> Option<Form> {
        let variable = self.variables.get(name).map(|variable| variable.form);
        self.definitions.get(name).map(|definition| definition.form).or(variable)
    }

    /// The family of matrices whose members have this name, or are its differential's.
    pub fn family_of(&self, formula: &Formula) -> Option<Family> {
        match &formula.kind {
            Kind::Name(name) => self.families.get(name).copied(),
            Kind::Differential(inner) => self.families.get(inner.as_name()?).copied(),
            _ => None,
        }
    }

    /// A shape in words: `m×n`.
    pub fn text(&self, form: Form) -> String {
        format!("{}×{}", self.sizes.text(form.rows), self.sizes.text(form.columns))
    }

    /// A shape as a type of the language.
    pub fn kind_text(&self, form: Form) -> String {
        let size = |id| self.sizes.text(id);
        match (self.sizes.is_one(form.rows), self.sizes.is_one(form.columns)) {
            (true, true) => "scalar".to_owned(),
            (false, true) => format!("vector({})", size(form.rows)),
            (true, false) => format!("row({})", size(form.columns)),
            (false, false) => format!("matrix({}, {})", size(form.rows), size(form.columns)),
        }
    }

    /// Whether a shape is 1×1.
    pub fn is_scalar(&self, form: Form) -> bool {
        self.sizes.is_one(form.rows) && self.sizes.is_one(form.columns)
    }

    /// Declares a variable.
    pub fn declare(&mut self, name: &str, form: Form, properties: Properties, declared: bool) {
        if !self.variables.contains_key(name) {
            self.variable_order.push(name.to_owned());
        }
        self.variables.insert(name.to_owned(), Variable { form, properties, declared });
    }

    /// Adds a definition.
    pub fn define(&mut self, name: &str, body: Formula, form: Form) {
        if !self.definitions.contains_key(name) {
            self.definition_order.push(name.to_owned());
        }
        self.definitions.insert(name.to_owned(), Definition { body, form });
    }

    /// Names the sizes that are still open, so that no later line makes two of them one.
    pub fn settle(&mut self) {
        let names = self.variable_order.iter().filter_map(|name| self.variables.get(name));
        let open: Vec<u32> = names.flat_map(|variable| [variable.form.rows, variable.form.columns]).collect();
        self.sizes.name_open(&open);
    }

    /// The variables and definitions that a name's value depends on, itself among them.
    pub fn below(&self, name: &str) -> Vec<String> {
        let mut out = vec![name.to_owned()];
        let mut next = 0;
        while let Some(name) = out.get(next).cloned() {
            next += 1;
            if let Some(definition) = self.definitions.get(&name) {
                for inner in definition.body.names() {
                    if self.form_of(inner).is_some() && !out.iter().any(|known| known == inner) {
                        out.push(inner.to_owned());
                    }
                }
            }
        }
        out
    }

    /// The shape of a formula; its open sizes are filled in, undeclared names get a shape.
    ///
    /// # Errors
    /// The first place that does not fit; names and sizes are as before then.
    pub fn shape(&mut self, formula: &mut Formula, ranges: &mut Ranges) -> Result<Form, Misfit> {
        let before = (self.sizes.clone(), self.variables.len(), ranges.clone());
        let found = self.form(formula, ranges);
        if found.is_err() {
            self.forget(before.0, before.1);
            *ranges = before.2;
        }
        found
    }

    /// Takes back what a formula that was tried told of sizes and undeclared names; `variables` were known before it.
    pub fn forget(&mut self, sizes: Sizes, variables: usize) {
        self.sizes = sizes;
        for name in self.variable_order.split_off(variables) {
            self.variables.remove(&name);
        }
    }

    /// As [`Scope::shape`], of a scope that is thrown away: an error leaves traces.
    pub(super) fn form(&mut self, formula: &mut Formula, ranges: &mut Ranges) -> Result<Form, Misfit> {
        let span = formula.span;
        match &mut formula.kind {
            Kind::Number(_) => Ok(SCALAR),
            Kind::Name(name) => self.form_of_name(name, span),
            Kind::Differential(a) => self.form(a, ranges),
            Kind::Transpose(a) => {
                let inner = self.form(a, ranges)?;
                Ok(Form { rows: inner.columns, columns: inner.rows })
            }
            Kind::Generic { argument, .. } => self.form(argument, ranges),
            Kind::Derivative { of, by } => {
                let twice = is_second_by_one(of, by);
                let (of, by) = (self.form(of, ranges)?, self.form(by, ranges)?);
                if twice && of == by && !self.sizes.is_one(of.rows) && !self.sizes.is_one(of.columns) {
                    // By vec(X), which has all entries of X.
                    let all = self.sizes.symbol(Symbol::Product(of.rows, of.columns));
                    return Ok(Form { rows: all, columns: all });
                }
                self.form_of_derivative(of, by, span)
            }
            Kind::Sum(terms) => {
                let mut whole: Option<(Form, Span)> = None;
                for (_, term) in terms {
                    let form = self.form(term, ranges)?;
                    whole = Some(match whole {
                        None => (form, term.span),
                        Some((left, place)) => (self.broadcast(left, form, "+", place, term.span)?, place),
                    });
                }
                Ok(whole.map_or(SCALAR, |(form, _)| form))
            }
            Kind::Hadamard(list) => {
                let mut whole: Option<(Form, Span)> = None;
                for factor in list {
                    let form = self.form(factor, ranges)?;
                    whole = Some(match whole {
                        None => (form, factor.span),
                        Some((left, place)) => (self.broadcast(left, form, "⊙", place, factor.span)?, place),
                    });
                }
                Ok(whole.map_or(SCALAR, |(form, _)| form))
            }
            Kind::Product(list) => {
                let mut whole: Option<(Form, Span)> = None;
                let mut at = 0;
                while at < list.len() {
                    if let Some((left, _)) = whole
                        && at > 0
                        && self.is_column(left)
                        && self.has_dot_between(list[at - 1].span, list[at].span)
                    {
                        // What follows up to the next dot belongs together: x · Ay.
                        let end = (at + 1..list.len())
                            .find(|&next| self.has_dot_between(list[next - 1].span, list[next].span))
                            .unwrap_or(list.len());
                        join_factors(list, at, end);
                    }
                    let form = self.form(&mut list[at], ranges)?;
                    let span = list[at].span;
                    if let Some((left, place)) = whole
                        && at > 0
                        && self.is_inner_product(left, form)
                        && self.has_dot_between(list[at - 1].span, span)
                    {
                        join_inner_product(list, at);
                        at = 1;
                        whole = Some((SCALAR, place.to(span)));
                        continue;
                    }
                    whole = Some(match whole {
                        None => (form, span),
                        Some((left, place)) => (self.product(left, form, span)?, place.to(span)),
                    });
                    at += 1;
                }
                if list.len() == 1 {
                    *formula = list.remove(0);
                }
                Ok(whole.map_or(SCALAR, |(form, _)| form))
            }
            Kind::HadamardQuotient(a, b) => {
                let (places, left, right) = ((a.span, b.span), self.form(a, ranges)?, self.form(b, ranges)?);
                self.broadcast(left, right, "⊘", places.0, places.1)
            }
            Kind::HadamardPower(a, b) => {
                let (places, left, right) = ((a.span, b.span), self.form(a, ranges)?, self.form(b, ranges)?);
                self.broadcast(left, right, ".^", places.0, places.1)
            }
            Kind::Compare(_, a, b) => {
                let (places, left, right) = ((a.span, b.span), self.form(a, ranges)?, self.form(b, ranges)?);
                self.broadcast(left, right, ">", places.0, places.1)
            }
            Kind::Quotient(a, b) => {
                let place = b.span;
                let (left, right) = (self.form(a, ranges)?, self.form(b, ranges)?);
                if self.is_scalar(right) {
                    return Ok(left);
                }
                // Of a name whose size nothing tells yet this tells that it is a number.
                if self.sizes.is_one(right.columns) && self.sizes.unify(right.rows, ONE) {
                    return Ok(left);
                }
                if !self.sizes.unify(right.rows, right.columns) || self.is_scalar(left) {
                    let message = format!("one cannot divide by a matrix that is {}", self.text(right));
                    return Err(Misfit::wrong(place, message));
                }
                self.product(left, right, place)
            }
            Kind::Power(a, b) => {
                let base = self.form(a, ranges)?;
                let exponent = self.form(b, ranges)?;
                let number = self.sizes.is_one(exponent.columns) && self.sizes.unify(exponent.rows, ONE);
                if !number {
                    let message = format!("the exponent is {}, not a number", self.text(exponent));
                    return Err(Misfit::wrong(b.span, message));
                }
                if !self.sizes.unify(base.rows, base.columns) {
                    let message = format!("a power of a matrix that is {}, not square", self.text(base));
                    return Err(Misfit::wrong(a.span, message));
                }
                Ok(base)
            }
            Kind::Call { function, arguments, columns } => {
                let mut forms = Vec::with_capacity(arguments.len());
                for argument in arguments.iter_mut() {
                    forms.push((self.form(argument, ranges)?, argument.span));
                }
                let (function, columns) = (*function, *columns);
                self.form_of_call(function, columns, &forms, span)
            }
            Kind::Blocks(rows) => self.form_of_blocks(rows, ranges),
            Kind::Identity(n) => {
                let n = self.size(n)?;
                Ok(Form { rows: n, columns: n })
            }
            Kind::Ones(m, n) | Kind::Zeros(m, n) => {
                let rows = self.size(m)?;
                let columns = match n {
                    Some(n) => self.size(n)?,
                    None => ONE,
                };
                Ok(Form { rows, columns })
            }
            Kind::Unit(n, _) => Ok(Form { rows: self.size(n)?, columns: ONE }),
            Kind::Reshape(a, m, n) => {
                let inner = self.form(a, ranges)?;
                let (rows, columns) = (self.size(m)?, self.size(n)?);
                let (old, new) = (
                    self.sizes.symbol(Symbol::Product(inner.rows, inner.columns)),
                    self.sizes.symbol(Symbol::Product(rows, columns)),
                );
                if !self.sizes.unify(old, new) {
                    let message =
                        format!("{} entries do not fit {}", self.sizes.text(old), self.text(Form { rows, columns }));
                    return Err(Misfit::wrong(span, message));
                }
                Ok(Form { rows, columns })
            }
            Kind::Entry { of, indices } => {
                let indices = indices.clone();
                if let Some(family) = self.family_of(of) {
                    return self.form_of_member(family, &indices, ranges, span);
                }
                let inner = self.form(of, ranges)?;
                self.form_of_entry(inner, &indices, ranges, span)
            }
            Kind::Over { index, upper, body } => {
                let outer = ranges.remove(index.as_str());
                let range = self.size(upper)?;
                ranges.insert(index.clone(), range);
                let form = self.form(body, ranges);
                ranges.remove(index.as_str());
                if let Some(outer) = outer {
                    ranges.insert(index.clone(), outer);
                }
                form
            }
            Kind::ByEntries { indices, body } => {
                let indices = indices.clone();
                let outer = std::mem::take(ranges);
                let form = self.form(body, ranges);
                let sizes: Vec<u32> = indices.iter().map(|index| self.range(index, ranges)).collect();
                *ranges = outer;
                if !self.is_scalar(form?) {
                    return Err(Misfit::wrong(span, "an entry is a number".to_owned()));
                }
                match sizes.as_slice() {
                    [rows] => Ok(Form { rows: *rows, columns: ONE }),
                    [rows, columns] => Ok(Form { rows: *rows, columns: *columns }),
                    _ => Err(Misfit::wrong(span, "a matrix has two indices".to_owned())),
                }
            }
            Kind::Delta(i, j) => {
                let (i, j) = (i.clone(), j.clone());
                if let (Index::Name(i), Index::Name(j)) = (&i, &j) {
                    let (a, b) = (self.range(i, ranges), self.range(j, ranges));
                    if !self.sizes.unify(a, b) {
                        let message = format!(
                            "the indices {i} and {j} of δ run to {} and {}",
                            self.sizes.text(a),
                            self.sizes.text(b)
                        );
                        return Err(Misfit::wrong(span, message));
                    }
                }
                Ok(SCALAR)
            }
        }
    }

    fn range(&mut self, index: &str, ranges: &mut Ranges) -> u32 {
        match ranges.get(index) {
            Some(&range) => range,
            None => {
                let range = self.sizes.open();
                ranges.insert(index.to_owned(), range);
                range
            }
        }
    }

    fn form_of_name(&mut self, name: &str, span: Span) -> Result<Form, Misfit> {
        if let Some(form) = self.form_of(name) {
            return Ok(form);
        }
        if self.sizes.has_name(name) || matches!(name, "pi" | "e") {
            return Ok(SCALAR);
        }
        if name.is_empty() {
            return Err(Misfit::wrong(span, "an empty formula".to_owned()));
        }
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let first = name.chars().next().unwrap_or('x');
        let form = if is_lower_greek(base) {
            SCALAR
        } else if first.is_uppercase() {
            Form { rows: self.sizes.open(), columns: self.sizes.open() }
        } else {
            Form { rows: self.sizes.open(), columns: ONE }
        };
        self.declare(name, form, Properties::NONE, false);
        Ok(form)
    }

    fn size(&mut self, size: &mut Size) -> Result<u32, Misfit> {
        match size {
            Size::Open(known) => {
                // One of a line that was forgotten is open again.
                let id = known.filter(|id| (*id as usize) < self.sizes.count()).unwrap_or_else(|| self.sizes.open());
                *known = Some(id);
                Ok(id)
            }
            Size::Given(formula) => self.size_of(formula),
        }
    }

    fn broadcast(&mut self, left: Form, right: Form, sign: &str, a: Span, b: Span) -> Result<Form, Misfit> {
        if self.is_scalar(left) {
            return Ok(right);
        }
        if self.is_scalar(right) {
            return Ok(left);
        }
        let misfit = |scope: &Scope| {
            Misfit::wrong(a.to(b), format!("{} {sign} {} does not fit", scope.text(left), scope.text(right)))
        };
        if self.repeats_in_products == Repeats::Refused && matches!(sign, "⊙" | "⊘") {
            let fits = self.sizes.unify(left.rows, right.rows) && self.sizes.unify(left.columns, right.columns);
            return if fits { Ok(left) } else { Err(misfit(self)) };
        }
        let (column, row) = (
            |scope: &Scope, f: Form| scope.sizes.is_one(f.columns),
            |scope: &Scope, f: Form| scope.sizes.is_one(f.rows),
        );
        if column(self, left) && row(self, right) || row(self, left) && column(self, right) {
            return Err(misfit(self));
        }
        let along = |scope: &mut Scope, x: u32, y: u32| match (scope.sizes.is_one(x), scope.sizes.is_one(y)) {
            (true, false) => Ok(y),
            (false, true) => Ok(x),
            _ if scope.sizes.unify(x, y) => Ok(x),
            _ => Err(misfit(scope)),
        };
        let rows = along(self, left.rows, right.rows)?;
        Ok(Form { rows, columns: along(self, left.columns, right.columns)? })
    }

    /// Whether two columns can only be multiplied as `x'y`.
    fn is_inner_product(&mut self, left: Form, right: Form) -> bool {
        let columns = self.sizes.is_one(left.columns) && self.sizes.is_one(right.columns);
        let numbers = self.sizes.is_one(left.rows) || self.sizes.is_one(right.rows);
        let known = !self.sizes.is_open(left.rows) || !self.sizes.is_open(right.rows);
        columns && !numbers && known && self.sizes.unify(left.rows, right.rows)
    }

    fn is_column(&self, form: Form) -> bool {
        self.sizes.is_one(form.columns) && !self.sizes.is_one(form.rows)
    }

    fn has_dot_between(&self, left: Span, right: Span) -> bool {
        let next = self.dots.partition_point(|&dot| dot < left.end);
        self.dots.get(next).is_some_and(|&dot| dot < right.start)
    }

    fn product(&mut self, left: Form, right: Form, place: Span) -> Result<Form, Misfit> {
        if self.is_scalar(left) {
            return Ok(right);
        }
        if self.is_scalar(right) {
            return Ok(left);
        }
        if self.sizes.unify(left.columns, right.rows) {
            return Ok(Form { rows: left.rows, columns: right.columns });
        }
        let message = format!(
            "({})·({}) does not fit: {} is not {}",
            self.text(left),
            self.text(right),
            self.sizes.text(left.columns),
            self.sizes.text(right.rows)
        );
        Err(Misfit::wrong(place, message))
    }
}

/// Makes one factor of all up to a place, the inner product of what stands before it with it.
fn join_inner_product(list: &mut Vec<Formula>, at: usize) {
    let mut before: Vec<Formula> = list.drain(..=at).collect();
    let Some(right) = before.pop() else { return };
    let span = before.first().map_or(right.span, |first| first.span.to(right.span));
    let left = if before.len() == 1 { before.remove(0) } else { Formula::new(Kind::Product(before), span) };
    let kind = Kind::Call { function: Function::Dot, arguments: vec![left, right], columns: false };
    list.insert(0, Formula::new(kind, span));
}

/// Makes one factor of those from one place up to another.
fn join_factors(list: &mut Vec<Formula>, from: usize, to: usize) {
    if to > from + 1 {
        let inner: Vec<Formula> = list.drain(from..to).collect();
        let span = inner.iter().skip(1).fold(inner[0].span, |span, factor| span.to(factor.span));
        list.insert(from, Formula::new(Kind::Product(inner), span));
    }
}
