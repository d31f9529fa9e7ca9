//! What a code is made of.

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// x
    Copy,
    /// −x
    Negate,
    /// |x|
    Abs,
    /// 1, −1, or 0 at 0
    Sign,
    /// √x
    Sqrt,
    /// 1/√x
    InverseSqrt,
    /// exp(x)
    Exp,
    /// log(x)
    Log,
    /// log(1 + x)
    Log1p,
    /// exp(x) − 1
    Expm1,
    /// sin(x)
    Sin,
    /// cos(x)
    Cos,
    /// tan(x)
    Tan,
    /// arcsin(x)
    Asin,
    /// arccos(x)
    Acos,
    /// arctan(x)
    Atan,
    /// sinh(x)
    Sinh,
    /// cosh(x)
    Cosh,
    /// tanh(x)
    Tanh,
    /// 1/(1 + exp(−x))
    Sigmoid,
    /// log(1 + exp(x))
    Softplus,
    /// 0 where x ≤ 0, else x
    Relu,
    /// exp(x) − 1 where x ≤ 0, else x
    Elu,
    /// x Φ(x), Φ the normal distribution function
    Gelu,
    /// x/(1 + exp(−x))
    Silu,
    /// error function
    Erf,
    /// 1 − erf(x)
    Erfc,
    /// 1 where x > 0, else 0
    Step,
    /// x²
    Square,
    /// 1/x
    Recip,
    /// x^k by multiplication, |k| ≤ 64
    Powi(i32),
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// x + y
    Add,
    /// x − y
    Subtract,
    /// x·y
    Multiply,
    /// x/y
    Divide,
    /// the larger; NaN where one is
    Max,
    /// the smaller; NaN where one is
    Min,
    /// x^y
    Power,
    /// y·x where x ≤ 0, else x
    LeakyRelu,
    /// 1 where x > y, else 0
    Greater,
    /// 1 where x ≥ y, else 0
    GreaterEqual,
    /// 1 where x < y, else 0
    Less,
    /// 1 where x ≤ y, else 0
    LessEqual,
    /// 1 where x = y, else 0
    Equal,
    /// 1 where x ≠ y, else 0
    NotEqual,
}

/// Where an instruction takes a number from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// What an instruction before wrote.
    Register(u8),
    /// An input.
    Input(u8),
    /// What an output's matrix held before the pass; only of an output [`Output::Store`].
    Held(u8),
    /// A number.
    Constant(f64),
}

/// One step for every element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instruction {
    /// to = f(x)
    Unary {
        /// The register that is written.
        to: u8,
        /// f
        function: Unary,
        /// x
        of: Operand,
    },
    /// to = f(x, y)
    Binary {
        /// The register that is written.
        to: u8,
        /// f
        function: Binary,
        /// x
        left: Operand,
        /// y
        right: Operand,
    },
    /// to = x·y + z
    MultiplyAdd {
        /// The register that is written.
        to: u8,
        /// x
        left: Operand,
        /// y
        right: Operand,
        /// z
        plus: Operand,
    },
    /// to = y where x ≠ 0, else z
    Select {
        /// The register that is written.
        to: u8,
        /// x
        condition: Operand,
        /// y
        then: Operand,
        /// z
        otherwise: Operand,
    },
}

/// What leaves a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// A matrix of the pass's shape.
    Store(Operand),
    /// A sum or maximum.
    Reduce(Operand, Fold, Over),
}

/// How numbers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Their sum, 0 of none.
    Sum,
    /// The largest, −∞ of none; NaN where there is one.
    Largest,
}

/// Which numbers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Those of each row: the output is m×1.
    Row,
    /// Those of each column: the output is 1×n.
    Column,
    /// All: the output is 1×1.
    All,
}

impl Instruction {
    /// The register that is written.
    pub fn to(&self) -> u8 {
        match *self {
            Instruction::Unary { to, .. }
            | Instruction::Binary { to, .. }
            | Instruction::MultiplyAdd { to, .. }
            | Instruction::Select { to, .. } => to,
        }
    }

    /// What is read, first to last; a place not used repeats the first.
    pub fn operands(&self) -> [Operand; 3] {
        match *self {
            Instruction::Unary { of, .. } => [of, of, of],
            Instruction::Binary { left, right, .. } => [left, right, left],
            Instruction::MultiplyAdd { left, right, plus, .. } => [left, right, plus],
            Instruction::Select { condition, then, otherwise, .. } => [condition, then, otherwise],
        }
    }
}

impl Output {
    /// What is stored or reduced.
    pub fn from(&self) -> Operand {
        match *self {
            Output::Store(from) | Output::Reduce(from, _, _) => from,
        }
    }
}
