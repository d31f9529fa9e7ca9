//! From a pass of a plan to the code that the kernels run: values become registers, arrays become inputs and outputs.

use crate::functions::Function;
use crate::plan::graph::{Direction, Elementary, Operation, Reduction, Use, ValueId};
use crate::plan::{Pass, Plan};
use crate::run::RunError;
use crate::run::cpu::elementwise::{Binary, Code, Fold, Instruction, Operand, Output, Over, Unary};
use crate::syntax::ast::Comparison;

/// A pass as code.
#[derive(Debug)]
pub(super) struct CompiledPass {
    pub(super) code: Code,
    /// What is read, in the order of the code's inputs.
    pub(super) inputs: Vec<Use>,
    /// What is written, in the order of the code's outputs: stored values, then reductions.
    pub(super) outputs: Vec<ValueId>,
}

/// The code of a pass.
///
/// # Errors
/// Where the pass is larger than the kernels allow, which the plan prevents.
pub(super) fn compiled(plan: &Plan, pass: &Pass) -> Result<CompiledPass, RunError> {
    let mut writer = Writer::new(plan, pass);
    for (at, &id) in pass.maps.iter().enumerate() {
        writer.map(at, id);
    }
    let mut outputs: Vec<Output> = pass.stored.iter().map(|&id| Output::Store(writer.register_of(id))).collect();
    for &id in &pass.reductions {
        let Operation::Reduce(reduction, direction, of) = plan.value(id).operation else { continue };
        let from = writer.operand(Use { value: of, transposed: false });
        let fold = match reduction {
            Reduction::Sum => Fold::Sum,
            Reduction::Max => Fold::Largest,
        };
        let over = match direction {
            Direction::Rows => Over::Row,
            Direction::Columns => Over::Column,
            Direction::All => Over::All,
        };
        outputs.push(Output::Reduce(from, fold, over));
    }
    let written = pass.stored.iter().chain(&pass.reductions).copied().collect();
    let inputs = writer.inputs;
    let code = Code::new(writer.instructions, outputs, inputs.len())
        .map_err(|error| RunError::new(format!("a pass cannot be compiled: {error}")))?;
    Ok(CompiledPass { code, inputs, outputs: written })
}

struct Writer<'a> {
    plan: &'a Plan,
    inputs: Vec<Use>,
    instructions: Vec<Instruction>,
    /// The register of each map, by its place in the pass.
    registers: Vec<Option<u8>>,
    /// The last map that reads each map; the end of the pass where it leaves it.
    last: Vec<usize>,
    /// How often each map is read.
    reads: Vec<usize>,
    maps: &'a [ValueId],
    free: Vec<u8>,
    next: u8,
    /// Products that are joined to the sum that reads them.
    joined: Vec<bool>,
}

impl<'a> Writer<'a> {
    fn new(plan: &'a Plan, pass: &'a Pass) -> Writer<'a> {
        let count = pass.maps.len();
        let place = |id: ValueId| pass.maps.iter().position(|&map| map == id);
        let (mut last, mut reads) = (vec![0; count], vec![0; count]);
        for (at, &id) in pass.maps.iter().enumerate() {
            plan.value(id).operation.operands(|operand| {
                if let Some(of) = place(operand.value) {
                    last[of] = at;
                    reads[of] += 1;
                }
            });
        }
        for &id in &pass.stored {
            if let Some(of) = place(id) {
                last[of] = count;
                reads[of] += 2;
            }
        }
        for &id in &pass.reductions {
            plan.value(id).operation.operands(|operand| {
                if let Some(of) = place(operand.value) {
                    last[of] = count;
                    reads[of] += 2;
                }
            });
        }
        let mut writer = Writer {
            plan,
            inputs: Vec::new(),
            instructions: Vec::new(),
            registers: vec![None; count],
            last,
            reads,
            maps: &pass.maps,
            free: Vec::new(),
            next: 0,
            joined: vec![false; count],
        };
        writer.join();
        writer
    }

    fn place(&self, id: ValueId) -> Option<usize> {
        self.maps.iter().position(|&map| map == id)
    }

    /// a·b + c is one instruction where nobody else reads a·b.
    fn join(&mut self) {
        for at in 0..self.maps.len() {
            let Operation::Map(Elementary::Add | Elementary::Subtract, list) =
                &self.plan.value(self.maps[at]).operation
            else {
                continue;
            };
            for operand in list {
                let Some(of) = self.place(operand.value) else { continue };
                let Operation::Map(Elementary::Multiply, factors) = &self.plan.value(self.maps[of]).operation else {
                    continue;
                };
                if self.reads[of] == 1 && self.plan.value(self.maps[of]).rows == self.plan.value(self.maps[at]).rows {
                    self.joined[of] = true;
                    let factors: Vec<ValueId> = factors.iter().map(|factor| factor.value).collect();
                    for factor in factors {
                        if let Some(inner) = self.place(factor) {
                            self.last[inner] = self.last[inner].max(at);
                        }
                    }
                    break;
                }
            }
        }
    }

    fn operand(&mut self, operand: Use) -> Operand {
        if let Some(x) = self.plan.constant(operand.value) {
            return Operand::Constant(x);
        }
        if let Some(register) = self.place(operand.value).and_then(|place| self.registers[place]) {
            return Operand::Register(register);
        }
        let place = self.inputs.iter().position(|&known| known == operand).unwrap_or_else(|| {
            self.inputs.push(operand);
            self.inputs.len() - 1
        });
        Operand::Input(place as u8)
    }

    fn register_of(&mut self, id: ValueId) -> Operand {
        self.operand(Use { value: id, transposed: false })
    }

    /// The factors of a product that is joined to what reads it.
    fn joined_factors(&mut self, operand: Use) -> Option<(Operand, Operand)> {
        let place = self.place(operand.value).filter(|&place| self.joined[place])?;
        let Operation::Map(_, factors) = self.plan.value(self.maps[place]).operation.clone() else { return None };
        Some((self.operand(factors[0]), self.operand(factors[1])))
    }

    fn map(&mut self, at: usize, id: ValueId) {
        if self.joined[at] {
            return;
        }
        let Operation::Map(elementary, list) = self.plan.value(id).operation.clone() else { return };
        let made = self.instruction(elementary, &list);
        // A register whose last reader is this map may take its result.
        for place in 0..at {
            if self.last[place] == at
                && let Some(register) = self.registers[place]
            {
                self.free.push(register);
                self.last[place] = usize::MAX;
            }
        }
        let to = self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.registers[at] = Some(to);
        self.instructions.push(with_register(made, to));
    }

    fn instruction(&mut self, elementary: Elementary, list: &[Use]) -> Instruction {
        let unary = |of: Operand, function: Unary| Instruction::Unary { to: 0, function, of };
        match elementary {
            Elementary::Add | Elementary::Subtract => {
                let minus = elementary == Elementary::Subtract;
                // x·y + z, or x·y − z as x·y + (−z) where z is a number.
                if let Some((left, right)) = self.joined_factors(list[0]) {
                    let plus = self.operand(list[1]);
                    match (minus, plus) {
                        (false, plus) => return Instruction::MultiplyAdd { to: 0, left, right, plus },
                        (true, Operand::Constant(z)) => {
                            return Instruction::MultiplyAdd { to: 0, left, right, plus: Operand::Constant(-z) };
                        }
                        (true, _) => {}
                    }
                } else if let Some((left, right)) = self.joined_factors(list[1]) {
                    let plus = self.operand(list[0]);
                    let negative = |operand: Operand| match operand {
                        Operand::Constant(x) => Some(Operand::Constant(-x)),
                        _ => None,
                    };
                    if !minus {
                        return Instruction::MultiplyAdd { to: 0, left, right, plus };
                    }
                    if let Some(left) = negative(left) {
                        return Instruction::MultiplyAdd { to: 0, left, right, plus };
                    }
                    if let Some(right) = negative(right) {
                        return Instruction::MultiplyAdd { to: 0, left, right, plus };
                    }
                }
                let (left, right) = (self.written(list[0]), self.written(list[1]));
                let function = if minus { Binary::Subtract } else { Binary::Add };
                Instruction::Binary { to: 0, function, left, right }
            }
            Elementary::Copy => {
                let of = self.operand(list[0]);
                unary(of, Unary::Copy)
            }
            Elementary::Function(function) => {
                let of = self.operand(list[0]);
                unary(of, unary_of(function))
            }
            Elementary::Multiply => {
                let (left, right) = (self.operand(list[0]), self.operand(list[1]));
                if left == Operand::Constant(-1.0) {
                    return unary(right, Unary::Negate);
                }
                if left == right {
                    return unary(left, Unary::Square);
                }
                Instruction::Binary { to: 0, function: Binary::Multiply, left, right }
            }
            Elementary::Power => {
                let (left, right) = (self.operand(list[0]), self.operand(list[1]));
                if let Operand::Constant(k) = right
                    && k == k.trunc()
                    && k.abs() <= 64.0
                {
                    return unary(left, Unary::Powi(k as i32));
                }
                Instruction::Binary { to: 0, function: Binary::Power, left, right }
            }
            _ => {
                let function = match elementary {
                    Elementary::Divide => Binary::Divide,
                    Elementary::Maximum => Binary::Max,
                    Elementary::Minimum => Binary::Min,
                    Elementary::LeakyRelu => Binary::LeakyRelu,
                    Elementary::Compare(Comparison::Greater) => Binary::Greater,
                    Elementary::Compare(Comparison::GreaterEqual) => Binary::GreaterEqual,
                    Elementary::Compare(Comparison::Less) => Binary::Less,
                    Elementary::Compare(Comparison::LessEqual) => Binary::LessEqual,
                    Elementary::Compare(Comparison::Equal) => Binary::Equal,
                    _ => Binary::NotEqual,
                };
                let (left, right) = (self.operand(list[0]), self.operand(list[1]));
                Instruction::Binary { to: 0, function, left, right }
            }
        }
    }

    /// The operand in a register, where it was left to be joined to a sum that then took another form.
    fn written(&mut self, operand: Use) -> Operand {
        let Some((left, right)) = self.joined_factors(operand) else { return self.operand(operand) };
        let place = self.place(operand.value).expect("a joined product is in the pass");
        let to = self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.instructions.push(Instruction::Binary { to, function: Binary::Multiply, left, right });
        self.registers[place] = Some(to);
        self.joined[place] = false;
        Operand::Register(to)
    }
}

fn with_register(instruction: Instruction, to: u8) -> Instruction {
    match instruction {
        Instruction::Unary { function, of, .. } => Instruction::Unary { to, function, of },
        Instruction::Binary { function, left, right, .. } => Instruction::Binary { to, function, left, right },
        Instruction::MultiplyAdd { left, right, plus, .. } => Instruction::MultiplyAdd { to, left, right, plus },
        Instruction::Select { condition, then, otherwise, .. } => {
            Instruction::Select { to, condition, then, otherwise }
        }
    }
}

/// # Panics
/// For a function that does not act by elements; the plan has none.
fn unary_of(function: Function) -> Unary {
    match function {
        Function::Exp => Unary::Exp,
        Function::Log => Unary::Log,
        Function::Log1p => Unary::Log1p,
        Function::Expm1 => Unary::Expm1,
        Function::Sqrt => Unary::Sqrt,
        Function::Abs => Unary::Abs,
        Function::Sign => Unary::Sign,
        Function::Sin => Unary::Sin,
        Function::Cos => Unary::Cos,
        Function::Tan => Unary::Tan,
        Function::Asin => Unary::Asin,
        Function::Acos => Unary::Acos,
        Function::Atan => Unary::Atan,
        Function::Sinh => Unary::Sinh,
        Function::Cosh => Unary::Cosh,
        Function::Tanh => Unary::Tanh,
        Function::Sigmoid => Unary::Sigmoid,
        Function::Softplus => Unary::Softplus,
        Function::Relu => Unary::Relu,
        Function::Elu => Unary::Elu,
        Function::Gelu => Unary::Gelu,
        Function::Silu => Unary::Silu,
        Function::Erf => Unary::Erf,
        Function::Step => Unary::Step,
        Function::Square => Unary::Square,
        Function::Recip => Unary::Recip,
        _ => unreachable!("`{}` does not act by elements", function.name()),
    }
}
