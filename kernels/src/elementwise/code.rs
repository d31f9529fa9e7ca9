//! Codes: instructions that were checked, and where a result may be written at once.

use std::fmt;

use super::{Instruction, Operand, Output};
use crate::Float;

/// At most this many registers.
pub(super) const MOST_REGISTERS: usize = 32;
/// At most this many inputs.
pub(super) const MOST_INPUTS: usize = 32;
/// At most this many outputs.
pub(super) const MOST_OUTPUTS: usize = 32;

/// A checked list of instructions and outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    pub(super) instructions: Vec<Instruction>,
    pub(super) outputs: Vec<Output>,
    pub(super) inputs: usize,
    pub(super) registers: usize,
    /// Numbers that instructions name, each once.
    pub(super) constants: Vec<f64>,
    /// For each instruction, the output whose memory may take the result.
    pub(super) direct: Vec<Option<u8>>,
}

/// Why instructions are no code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// A register is read before it is written.
    Unwritten(u8),
    /// There is no input of that number.
    NoInput(u8),
    /// There is no output of that number, or it is no matrix.
    NoHeld(u8),
    /// More registers, inputs, outputs or numbers than a pass can have.
    TooLarge,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeError::Unwritten(register) => write!(f, "register {register} is read before it is written"),
            CodeError::NoInput(input) => write!(f, "there is no input {input}"),
            CodeError::NoHeld(output) => write!(f, "output {output} holds no matrix to read"),
            CodeError::TooLarge => f.write_str("the code is too large for one pass"),
        }
    }
}

impl std::error::Error for CodeError {}

impl Code {
    /// Checks instructions that are run in this order, and what leaves the pass after the last.
    ///
    /// # Errors
    /// Where something is read that is not there, or there is too much.
    pub fn new(instructions: Vec<Instruction>, outputs: Vec<Output>, inputs: usize) -> Result<Code, CodeError> {
        if inputs > MOST_INPUTS || outputs.len() > MOST_OUTPUTS {
            return Err(CodeError::TooLarge);
        }
        let mut constants: Vec<f64> = Vec::new();
        let mut written = [false; 256];
        let mut check = |operand: Operand, written: &[bool; 256]| match operand {
            Operand::Register(register) if !written[usize::from(register)] => Err(CodeError::Unwritten(register)),
            Operand::Input(input) if usize::from(input) >= inputs => Err(CodeError::NoInput(input)),
            Operand::Held(output) if !matches!(outputs.get(usize::from(output)), Some(Output::Store(_))) => {
                Err(CodeError::NoHeld(output))
            }
            Operand::Constant(x) => {
                if !constants.iter().any(|constant| constant.to_bits() == x.to_bits()) {
                    constants.push(x);
                }
                Ok(())
            }
            _ => Ok(()),
        };
        for instruction in &instructions {
            for operand in instruction.operands() {
                check(operand, &written)?;
            }
            written[usize::from(instruction.to())] = true;
        }
        for output in &outputs {
            check(output.from(), &written)?;
        }
        let registers = written.iter().rposition(|&written| written).map_or(0, |last| last + 1);
        if registers > MOST_REGISTERS || constants.len() > 256 {
            return Err(CodeError::TooLarge);
        }
        let direct = direct(&instructions, &outputs);
        Ok(Code { instructions, outputs, inputs, registers, constants, direct })
    }

    /// How many numbers [`Code::run`] needs to work with.
    pub fn workspace<T: Float>(&self) -> usize {
        let blocks = self.registers + self.inputs + self.outputs.len();
        blocks * block_length::<T>() + (self.constants.len() + self.inputs) * SPLAT + T_PER_LINE
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// What leaves the pass.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// What is done, in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }
}

/// Room for a number in all lanes of the widest vector.
pub(super) const SPLAT: usize = 16;
/// Room to start on a cache line.
pub(super) const T_PER_LINE: usize = 16;

/// How many numbers a block has: 2 KiB, so that a dozen registers stay in the nearest cache.
pub(super) const fn block_length<T>() -> usize {
    2048 / size_of::<T>()
}

/// For each instruction the output that may take its result at once: it is the last to write the register that is stored, and
/// what the output held is not read after it.
fn direct(instructions: &[Instruction], outputs: &[Output]) -> Vec<Option<u8>> {
    let mut direct = vec![None; instructions.len()];
    for (k, output) in outputs.iter().enumerate() {
        let Output::Store(Operand::Register(register)) = *output else { continue };
        let Some(last) = instructions.iter().rposition(|instruction| instruction.to() == register) else { continue };
        let held = Operand::Held(k as u8);
        let read_later = instructions[last + 1..].iter().any(|instruction| instruction.operands().contains(&held))
            || outputs.iter().any(|output| output.from() == held);
        if !read_later && direct[last].is_none() {
            direct[last] = Some(k as u8);
        }
    }
    direct
}
