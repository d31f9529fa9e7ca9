//! What is done to a block of rows: products with what follows them in the same sweep, softmax, passes over entries; and what
//! each of them reads and writes. Values and shapes are the graph's. Nothing is decided here.

use rustc_hash::FxHashSet as HashSet;

use super::graph::{Graph, Operation, Use, ValueId};
use super::region::operands;

/// A number times a scalar value, or a number alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The number.
    pub number: f64,
    /// The scalar value.
    pub value: Option<ValueId>,
}

impl Scale {
    /// 1.
    pub const ONE: Scale = Scale { number: 1.0, value: None };

    pub(super) fn of(graph: &Graph, operand: Use) -> Scale {
        match graph.constant_of(operand) {
            Some(number) => Scale { number, value: None },
            None => Scale { number: 1.0, value: Some(operand.value) },
        }
    }
}

/// What a product does to each entry before it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// The larger of it and 0.
    Relu,
    /// It stays where this is above 0, and is 0 elsewhere.
    WhereAbove(Use),
    /// It is multiplied by this.
    Times(Use),
}

/// scale·left·right, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductStep {
    /// The left factor.
    pub left: Use,
    /// The right factor.
    pub right: Use,
    /// What scales the product.
    pub scale: Scale,
    /// What is added, scaled; repeated where it is smaller.
    pub added: Option<(Scale, Use)>,
    /// What is done then.
    pub then: Then,
    /// What is written.
    pub out: ValueId,
    /// The sums of its columns.
    pub sums: Option<ValueId>,
    /// The sum of the squares of what is added, which has the product's shape.
    pub squares: Option<ValueId>,
}

/// The softmax P of rows in its parts, and what a target Y makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxStep {
    /// Of what.
    pub of: ValueId,
    /// The softmax.
    pub softmax: Option<ValueId>,
    /// Its logarithm.
    pub log: Option<ValueId>,
    /// The logarithms of the sums of exponentials.
    pub log_sum: Option<ValueId>,
    /// Y.
    pub target: Option<ValueId>,
    /// The sum of Y .* log(P).
    pub likelihood: Option<ValueId>,
    /// P - Y, scaled.
    pub difference: Option<(Scale, ValueId)>,
}

impl SoftmaxStep {
    pub(super) fn new(of: ValueId) -> SoftmaxStep {
        SoftmaxStep { of, softmax: None, log: None, log_sum: None, target: None, likelihood: None, difference: None }
    }

    /// All values that it gives.
    pub(super) fn gives(&self) -> impl Iterator<Item = ValueId> {
        let difference = self.difference.map(|(_, id)| id);
        [self.softmax, self.log, self.log_sum, self.likelihood, difference].into_iter().flatten()
    }
}

/// Operations on entries that are done in one pass over a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// The width of the block.
    pub columns: usize,
    /// What is computed, operands first.
    pub maps: Vec<ValueId>,
    /// What of it is written to memory.
    pub stored: Vec<ValueId>,
    /// Sums and the like over what is computed or read.
    pub reductions: Vec<ValueId>,
}

/// One thing that is done to a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A matrix product.
    Product(Box<ProductStep>),
    /// leftᵀ·right of the block's rows, added to what the rows before gave.
    Accumulate {
        /// The left factor.
        left: ValueId,
        /// The right factor.
        right: ValueId,
        /// The sum.
        out: ValueId,
    },
    /// A softmax.
    Softmax(SoftmaxStep),
    /// A pass over entries.
    Pass(Pass),
    /// Rows of the identity.
    Identity(ValueId),
    /// Rows of a one-hot matrix.
    Labels(ValueId),
    /// A transpose, as a whole.
    Transpose(ValueId),
    /// An operation of the reference, as a whole.
    Reference(ValueId),
}

impl Step {
    /// What it writes to memory, sums over rows included.
    pub fn writes(&self) -> Vec<ValueId> {
        match self {
            Step::Product(product) => {
                [Some(product.out), product.sums, product.squares].into_iter().flatten().collect()
            }
            Step::Softmax(softmax) => softmax.gives().collect(),
            Step::Pass(pass) => pass.stored.iter().chain(&pass.reductions).copied().collect(),
            Step::Accumulate { out, .. } => vec![*out],
            Step::Identity(id) | Step::Labels(id) | Step::Transpose(id) | Step::Reference(id) => vec![*id],
        }
    }

    /// What it reads from memory.
    pub fn reads(&self, graph: &Graph) -> Vec<Use> {
        let plain = |value: ValueId| Use { value, transposed: false };
        match self {
            Step::Product(product) => {
                let mut out = vec![product.left, product.right];
                out.extend(product.scale.value.map(plain));
                if let Some((scale, added)) = product.added {
                    out.push(added);
                    out.extend(scale.value.map(plain));
                }
                match product.then {
                    Then::WhereAbove(of) | Then::Times(of) => out.push(of),
                    Then::Nothing | Then::Relu => {}
                }
                out
            }
            Step::Softmax(softmax) => {
                let mut out = vec![plain(softmax.of)];
                // Labels are read where the caller has them.
                let is_matrix = |y: &ValueId| !matches!(graph.value(*y).operation, Operation::Labels(_));
                out.extend(softmax.target.filter(is_matrix).map(plain));
                out.extend(softmax.difference.and_then(|(scale, _)| scale.value).map(plain));
                out
            }
            Step::Pass(pass) => pass.reads(graph),
            Step::Accumulate { left, right, .. } => vec![plain(*left), plain(*right)],
            Step::Identity(_) | Step::Labels(_) => Vec::new(),
            Step::Transpose(id) | Step::Reference(id) => operands(graph, *id).into_iter().map(|(o, _)| o).collect(),
        }
    }
}

impl Pass {
    /// What it reads from memory, each once.
    pub fn reads(&self, graph: &Graph) -> Vec<Use> {
        let inside: HashSet<ValueId> = self.maps.iter().copied().collect();
        let mut out: Vec<Use> = Vec::new();
        for &id in self.maps.iter().chain(&self.reductions) {
            graph.value(id).operation.operands(|operand| {
                if !inside.contains(&operand.value) && graph.constant_of(operand).is_none() && !out.contains(&operand) {
                    out.push(operand);
                }
            });
        }
        out
    }
}
