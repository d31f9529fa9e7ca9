//! Functions of the dictionary in place of what a text writes for them: a softmax as a quotient of exponentials, a logistic
//! function, the logarithm of one; and inverse functions, one after the other.

use super::{Mover, Plain, plain, rule};
use crate::document::formula::{Formula, Index, Kind};
use crate::document::language::formula;
use crate::functions::Function;
use crate::number::Number;
use crate::rules::RuleId;
use crate::syntax::parse_expression;
use crate::verify::evaluate::literal;
use crate::verify::normal::{acts_on_entries, key};

/// Sums of exponentials.
enum Summed {
    /// Of all entries of a column or row.
    All(Formula),
    /// Of each row of a matrix.
    Rows(Formula),
}

fn exponential(formula: &Formula) -> Option<&Formula> {
    match &formula.kind {
        Kind::Call { function: Function::Exp, arguments, .. } => arguments.first(),
        _ => None,
    }
}

/// The base of a^(-k), by elements or not, and k.
fn inverted(formula: &Formula) -> Option<(&Formula, i64)> {
    match &formula.kind {
        Kind::Power(base, exponent) | Kind::HadamardPower(base, exponent) => {
            let k = literal(exponent).and_then(Number::as_integer)?;
            (-8..0).contains(&k).then_some((base.as_ref(), -k))
        }
        _ => None,
    }
}

/// A of 1 + exp(A).
fn above_one(formula: &Formula) -> Option<&Formula> {
    let Kind::Sum(terms) = &formula.kind else { return None };
    let [(false, a), (false, b)] = terms.as_slice() else { return None };
    let one = |part: &Formula| match &part.kind {
        Kind::Number(value) => value.is_one(),
        Kind::Ones(_, None) => true,
        _ => false,
    };
    match (one(a), one(b)) {
        (true, _) => exponential(b),
        (_, true) => exponential(a),
        _ => None,
    }
}

impl Mover {
    pub(super) fn functions(&mut self, part: Formula) -> Formula {
        if let Kind::Generic { name, order: 1, argument } = &part.kind
            && let Some(function) = Function::lookup(name).filter(|function| acts_on_entries(*function))
            && let (ast, Some(root), _) = parse_expression(function.entry().differential)
            && let Ok(read) = formula(&ast, root, &Plain)
        {
            let whole = Formula::call(function, (**argument).clone());
            self.use_rule(rule(RuleId::of_function(function)));
            return self.bottom_up(&read, &mut |_, part| match part.as_name() {
                Some("X") => (**argument).clone(),
                Some("dX") => Formula::integer(1),
                Some("F") => whole.clone(),
                _ => part,
            });
        }
        match &part.kind {
            Kind::Call { function: Function::Log, arguments, .. } => self.logarithm(&arguments[0]),
            Kind::Call { function: Function::Exp, arguments, .. } => match &arguments[0].kind {
                Kind::Call { function: Function::Log, arguments, .. } => {
                    self.use_rule("exp(log(A)) = A".to_owned());
                    Some(arguments[0].clone())
                }
                _ => None,
            },
            Kind::Power(..) | Kind::HadamardPower(..) => self.logistic(&part),
            Kind::Product(list) | Kind::Hadamard(list) => self.softmax(list, matches!(part.kind, Kind::Product(_))),
            _ => None,
        }
        .unwrap_or(part)
    }

    fn logarithm(&mut self, of: &Formula) -> Option<Formula> {
        if let Some(argument) = above_one(of) {
            self.use_rule("log(1 + exp(A)) = softplus(A)".to_owned());
            return Some(Formula::call(Function::Softplus, argument.clone()));
        }
        match self.summed_exponentials(of) {
            Some(Summed::All(argument)) => {
                self.use_rule("log(sum(exp(x))) = logsumexp(x)".to_owned());
                return Some(Formula::call(Function::LogSumExp, argument));
            }
            Some(Summed::Rows(argument)) => {
                self.use_rule("log(rowsum(exp(A))) = logsumexp(A)".to_owned());
                return Some(Formula::call(Function::LogSumExp, argument));
            }
            None => {}
        }
        let Kind::Call { function, arguments, columns } = &of.kind else { return None };
        let (found, statement) = match function {
            Function::Softmax => (Function::LogSoftmax, "log(softmax(A)) = logsoftmax(A)"),
            Function::Det => (Function::LogDet, "log(det(A)) = logdet(A)"),
            Function::Exp => {
                self.use_rule("log(exp(A)) = A".to_owned());
                return arguments.first().cloned();
            }
            _ => return None,
        };
        self.use_rule(statement.to_owned());
        Some(plain(Kind::Call { function: found, arguments: arguments.clone(), columns: *columns }))
    }

    /// 1/(1 + exp(-A))
    fn logistic(&mut self, part: &Formula) -> Option<Formula> {
        let (base, 1) = inverted(part)? else { return None };
        let argument = above_one(base)?;
        let opposite = self.normal.normal(&argument.clone().negated());
        self.use_rule("1/(1 + exp(-x)) = sigmoid(x)".to_owned());
        Some(Formula::call(Function::Sigmoid, opposite))
    }

    /// exp(x)/sum(exp(x)) among the factors of a product.
    fn softmax(&mut self, list: &[Formula], matrix_product: bool) -> Option<Formula> {
        let join = |list: Vec<Formula>| plain(if matrix_product { Kind::Product(list) } else { Kind::Hadamard(list) });
        // exp(x)*sigmoid(-x) = sigmoid(x)
        for (k, factor) in list.iter().enumerate() {
            let Kind::Call { function: Function::Sigmoid, arguments, .. } = &factor.kind else { continue };
            let opposite = self.normal.normal(&arguments[0].clone().negated());
            let numerator = key(&Formula::call(Function::Exp, opposite.clone()));
            if let Some(at) = list.iter().position(|other| key(other) == numerator) {
                let mut out = list.to_vec();
                out[k] = Formula::call(Function::Sigmoid, opposite);
                out.remove(at);
                return Some(join(out));
            }
        }
        for (k, factor) in list.iter().enumerate() {
            let Some((base, times)) = inverted(factor) else { continue };
            let Some(summed) = self.summed_exponentials(base) else { continue };
            let (argument, statement) = match &summed {
                Summed::All(argument) => (argument, "exp(x)/sum(exp(x)) = softmax(x)"),
                Summed::Rows(argument) => (argument, "exp(A) ./ rowsum(exp(A)) = softmax(A)"),
            };
            let numerator = key(&Formula::call(Function::Exp, argument.clone()));
            let mut out = list.to_vec();
            out.remove(k);
            let mut left = times;
            while left > 0
                && let Some(place) = out.iter_mut().find_map(|other| place_of(other, &numerator))
            {
                *place = Formula::call(Function::Softmax, argument.clone());
                left -= 1;
            }
            if left == times {
                continue;
            }
            self.use_rule(statement.to_owned());
            if left > 0 {
                let exponent = Box::new(Formula::integer(-left));
                let base = Box::new(base.clone());
                out.insert(
                    0,
                    plain(if matrix_product {
                        Kind::Power(base, exponent)
                    } else {
                        Kind::HadamardPower(base, exponent)
                    }),
                );
            }
            return Some(if out.len() == 1 { out.remove(0) } else { join(out) });
        }
        None
    }

    fn summed_exponentials(&mut self, formula: &Formula) -> Option<Summed> {
        let vector = |mover: &Mover, argument: &Formula| {
            let (row, column) = mover.normal.ones(argument);
            (row != column).then(|| Summed::All(argument.clone()))
        };
        match &formula.kind {
            Kind::Call { function: Function::Sum, arguments, .. } => vector(self, exponential(&arguments[0])?),
            Kind::Call { function: Function::RowSum, arguments, .. } => {
                let argument = exponential(&arguments[0])?;
                (self.normal.ones(argument) == (false, false)).then(|| Summed::Rows(argument.clone()))
            }
            Kind::Over { index, body, .. } => {
                let Kind::Entry { of, indices } = &exponential(body)?.kind else { return None };
                (*indices == [Index::Name(index.clone())]).then(|| vector(self, of)).flatten()
            }
            Kind::Product(list) => {
                let ones = |part: &Formula| matches!(part.kind, Kind::Ones(_, None));
                let row = |part: &Formula| matches!(&part.kind, Kind::Transpose(inner) if ones(inner));
                match list.as_slice() {
                    [first, other] if row(first) => vector(self, exponential(other)?),
                    [other, last] if ones(last) => match &other.kind {
                        Kind::Transpose(inner) => vector(self, exponential(inner)?),
                        _ => Some(Summed::Rows(exponential(other)?.clone())),
                    },
                    [other, column, last] if ones(column) && row(last) => {
                        Some(Summed::Rows(exponential(other)?.clone()))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Where this formula, by its text, is a factor of a factor.
fn place_of<'a>(factor: &'a mut Formula, wanted: &str) -> Option<&'a mut Formula> {
    if key(factor) == wanted {
        return Some(factor);
    }
    match &mut factor.kind {
        Kind::Transpose(inner) => place_of(inner, wanted),
        Kind::Call { function: Function::Diag, arguments, .. } => place_of(arguments.first_mut()?, wanted),
        Kind::Hadamard(list) | Kind::Product(list) => list.iter_mut().find_map(|part| place_of(part, wanted)),
        _ => None,
    }
}
