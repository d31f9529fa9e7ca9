//! The rules by their textbook names: for differentials, for traces, for what properties give. A row is data: what a
//! derivation shows beside a line. `law` states the rule in the language, and a test proves each law by numbers.

use std::sync::LazyLock;

use crate::functions::{ENTRIES, Function};

/// A rule of the calculus or of algebra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A short identifier, `cyclic`.
    pub id: &'static str,
    /// What a book states, `tr(AB) = tr(BA)`.
    pub statement: String,
    /// The same in the language, `tr(A*B) = tr(B*A)`; empty where it has no such form.
    pub law: &'static str,
}

/// Which rule: an index into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(u16);

impl RuleId {
    /// The row of the table.
    pub fn rule(self) -> &'static Rule {
        &ALL[self.0 as usize]
    }

    /// The rule by which d of a function of the dictionary is taken.
    pub fn of_function(function: Function) -> RuleId {
        RuleId((ROWS.len() + function as usize) as u16)
    }

    /// All rules.
    pub fn all() -> impl Iterator<Item = RuleId> {
        (0..ALL.len()).map(|i| RuleId(i as u16))
    }
}

macro_rules! rules {
    ($($name:ident, $id:literal, $statement:literal, $law:literal, $what:literal;)*) => {
        rules!(@number 0u16; $($name $what)*);
        const ROWS: &[(&str, &str, &str)] = &[$(($id, $statement, $law)),*];
    };
    (@number $n:expr; $name:ident $what:literal $($rest:tt)*) => {
        #[doc = $what]
        pub const $name: RuleId = RuleId($n);
        rules!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
}

// Magnus and Neudecker, Matrix Differential Calculus, ch. 1 (traces) and ch. 8 (differentials).
rules! {
    SUM, "sum", "d(X + Y) = dX + dY", "", "The differential of a sum.";
    PRODUCT, "product", "d(XY) = dX Y + X dY", "", "The differential of a matrix product, order kept.";
    HADAMARD_PRODUCT, "hadamard-product", "d(X .* Y) = dX .* Y + X .* dY", "", "The differential of a product by elements.";
    QUOTIENT, "quotient", "d(X ./ Y) = (dX .* Y - X .* dY) ./ (Y .* Y)", "", "The differential of a quotient by elements.";
    TRANSPOSED, "d-transpose", "d(X') = (dX)'", "", "The differential of a transpose.";
    POWER, "power", "d(X.^k) = k*X.^(k - 1) .* dX", "", "The differential of a power by elements.";
    EXPONENTIAL, "exponential", "d(c.^X) = log(c)*c.^X .* dX", "", "The differential of a power with a moving exponent.";
    INVERSE, "inverse", "d inv(X) = -inv(X) dX inv(X)", "", "The differential of an inverse.";
    MATRIX_POWER, "matrix-power", "d(X^k) = dX X^(k-1) + X dX X^(k-2) + ... + X^(k-1) dX", "", "The differential of a matrix power.";
    MATRIX_ROOT, "matrix-root", "S = X^(1/2): dS S + S dS = dX", "", "The differential of a root.";
    BLOCKS, "blocks", "d[X, Y] = [dX, dY]", "", "The differential of blocks.";
    RESHAPED, "vec", "d vec(X) = vec(dX)", "", "The differential of a reshaped matrix.";
    SCALAR, "scalar", "a = tr(a)", "x'*y = tr(x'*y)", "A scalar is its own trace.";
    TRANSPOSE, "transpose", "tr(A) = tr(A'), (AB)' = B'A'", "tr(A*B) = tr((A*B)') = tr(B'*A')", "A trace is that of the transpose.";
    LINEARITY, "linearity", "tr(A + B) = tr(A) + tr(B)", "tr(A*B + C) = tr(A*B) + tr(C)", "The trace is linear.";
    CYCLIC, "cyclic", "tr(AB) = tr(BA)", "tr(A*B) = tr(B*A)", "Factors go round in a trace.";
    HADAMARD, "hadamard", "tr(A'(B .* C)) = tr((A .* B)'C)", "tr(A'*(B .* C)) = tr((A .* B)'*C)", "The Hadamard exchange.";
    FROBENIUS, "frobenius", "sum(A .* B) = tr(A'B)", "sum(A .* B) = tr(A'*B)", "The Frobenius product as a trace.";
    SUM_AS_TRACE, "sum-as-trace", "sum(A) = tr(ones'A)", "sum(A) = tr(ones(m, n)'*A)", "A sum of all entries as a trace.";
    BROADCAST, "broadcast", "1_N b repeats b: its adjoint sums", "tr(A'*(ones(m)*r')) = colsum(A)*r", "A broadcast is a product with ones.";
    ADJOINT_MAP, "linear-map", "tr(G'f(dX)) = tr(f*(G)'dX) for a linear f with adjoint f*", "", "A linear map is moved to the other side.";
    ROW_SUMS, "row-sums", "each row of a one-hot or stochastic matrix sums to 1", "", "The row sums of a one-hot matrix.";
    ORTHOGONAL, "orthogonal", "Q'Q = I", "", "An orthogonal matrix.";
    ADJOINT, "adjoint", "dL = tr(G_Z'dZ) names the adjoint G_Z of Z", "", "The adjoint of a waypoint gets a name.";
    SIMPLIFY, "simplify", "the same, shorter", "", "Algebra.";
    READ_OFF, "read-off", "dF = tr(G'dX), so G is the gradient", "", "The gradient is read off.";
    COLLECT, "collect", "the contributions of all uses add up", "", "Several uses of a variable.";
    PROJECT, "project", "the unconstrained gradient is projected onto the structure", "", "A structured variable.";
    ALONG, "along", "dX = V is put in, for the derivative along V", "", "A differential becomes the derivative along a direction.";
    DIRECTIONAL, "directional", "D_Z names the derivative dZ along V", "", "The derivative of a waypoint gets a name.";
    AGAINST, "against", "tr(U'dY) = tr(G'dX), so G is the derivative against U", "", "A transposed Jacobian is read off.";
    VEC_OF_PRODUCT, "vec-of-product", "vec(AXB) = kron(B', A) vec(X)", "vec(A*X*B) = kron(B', A)*vec(X)", "The vec of a product.";
    MATRIX_OF_DIFFERENTIAL, "matrix-of-differential", "each term of the differential is a matrix times dx", "", "A differential of a vector as a matrix times that of another.";
    FIRST_IDENTIFICATION, "first-identification", "d vec(Y) = J d vec(X), so J is the Jacobian", "", "The Jacobian is read off.";
    SECOND_IDENTIFICATION, "second-identification", "d vec(G) = H d vec(X) for the gradient G, so H is the Hessian", "", "The Hessian is read off.";
    SUBSTITUTE, "substitute", "the differentials of the definitions put in", "", "A differential in terms of the variables.";
}

static ALL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rows = ROWS.iter().map(|&(id, statement, law)| Rule { id, statement: statement.to_owned(), law });
    let functions = ENTRIES.iter().map(|entry| {
        let (id, statement) = function_rule(entry.function);
        Rule { id, statement, law: "" }
    });
    rows.chain(functions).collect()
});

/// The differential of a function as a book prints it: `d log(X) = dX ./ X`.
fn function_rule(function: Function) -> (&'static str, String) {
    let entry = function.entry();
    let name = entry.name;
    let statement = match function {
        Function::Softmax => "d softmax(X) = P .* (dX - rowsum(P .* dX)) with P = softmax(X)".to_owned(),
        Function::LogSoftmax => "d logsoftmax(X) = dX - rowsum(softmax(X) .* dX)".to_owned(),
        Function::LogSumExp => "d logsumexp(X) = rowsum(softmax(X) .* dX)".to_owned(),
        Function::Max => "d max(X, Y) = dX where X > Y, dY where X < Y, half of both at a tie".to_owned(),
        Function::Min => "d min(X, Y) = dX where X < Y, dY where X > Y, half of both at a tie".to_owned(),
        Function::LeakyRelu => "d leaky_relu(X, s) = dX where X > 0, s*dX elsewhere".to_owned(),
        Function::Chol => "dL = L phi(inv(L) dA inv(L)'), phi the lower triangle with half the diagonal".to_owned(),
        Function::Expm => "d expm(X) = upper right block of expm([X, dX; 0, X])".to_owned(),
        Function::Trace => "d tr(X) = tr(dX)".to_owned(),
        Function::Kron => "d kron(X, Y) = kron(dX, Y) + kron(X, dY)".to_owned(),
        _ if entry.differential.is_empty() => format!("d {name}(X) = {name}(dX), {name} being linear"),
        _ => {
            let own = format!("{name}(X)");
            let mut text = String::new();
            for (i, part) in entry.differential.split('F').enumerate() {
                if i > 0 {
                    text.push_str(&own);
                }
                text.push_str(part);
            }
            format!("d {own} = {text}")
        }
    };
    // Three functions have the name of a rule.
    let id = match function {
        Function::Sum => "sum-of-entries",
        Function::Vec => "vec-function",
        Function::TransposeOf => "transpose-function",
        _ => name,
    };
    (id, statement)
}
