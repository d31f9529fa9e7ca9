//! A pass over matrices, block by block.
//!
//! A block is a stretch of a row where rows are long, and some whole rows where they are short. What stands in memory as the
//! block does is read and written there; the rest goes through a copy in the workspace.

use super::block::{self, Place};
use super::code::{Code, MOST_INPUTS, MOST_OUTPUTS, MOST_REGISTERS, SPLAT, block_length};
use super::{Fold, Instruction, Operand, Output, Over};
use crate::products::Into;
use crate::simd::{Kernel, Lanes};
use crate::{Float, InstructionSet, View, ViewMut};

impl Code {
    /// Runs the code for every element of `rows`×`columns` matrices.
    ///
    /// An input has that shape; views with strides 0 stand for rows, columns and numbers. An output has the shape that its kind
    /// says. With [`Into::Add`] sums are added to what the output holds and maxima compared with it; stores are not concerned.
    ///
    /// # Panics
    /// Where a shape does not fit, an input or an output is missing, or the workspace is shorter than [`Code::workspace`].
    #[allow(clippy::too_many_arguments, reason = "a pass is these things")]
    pub fn run<T: Float>(
        &self,
        set: InstructionSet,
        (rows, columns): (usize, usize),
        inputs: &[View<'_, T>],
        outputs: &mut [ViewMut<'_, T>],
        into: Into,
        workspace: &mut [T],
    ) {
        assert_eq!(inputs.len(), self.inputs, "the number of inputs");
        assert_eq!(outputs.len(), self.outputs.len(), "the number of outputs");
        assert!(workspace.len() >= self.workspace::<T>(), "the workspace is too short");
        for input in inputs {
            assert_eq!((input.rows(), input.columns()), (rows, columns), "an input does not fit");
        }
        let mut pass = Pass {
            code: self,
            shape: (rows, columns),
            inputs: [Strided::NOTHING; MOST_INPUTS],
            outputs: [Strided::NOTHING; MOST_OUTPUTS],
            turned: false,
            into,
            workspace,
        };
        for (place, input) in pass.inputs.iter_mut().zip(inputs) {
            *place =
                Strided { pointer: input.pointer().cast_mut(), down: input.row_stride(), along: input.column_stride() };
        }
        for ((place, kind), output) in pass.outputs.iter_mut().zip(&self.outputs).zip(outputs) {
            let shape = match kind {
                Output::Store(_) => (rows, columns),
                Output::Reduce(_, _, Over::Row) => (rows, 1),
                Output::Reduce(_, _, Over::Column) => (1, columns),
                Output::Reduce(_, _, Over::All) => (1, 1),
            };
            assert_eq!((output.rows(), output.columns()), shape, "an output does not fit");
            *place = Strided { down: output.row_stride(), along: output.column_stride(), pointer: output.pointer() };
        }
        pass.arrange();
        T::pass(set, &mut pass);
    }
}

/// A matrix in memory.
#[derive(Clone, Copy)]
struct Strided<T> {
    pointer: *mut T,
    down: usize,
    along: usize,
}

impl<T> Strided<T> {
    const NOTHING: Strided<T> = Strided { pointer: std::ptr::null_mut(), down: 0, along: 0 };

    #[inline]
    fn at(self, i: usize, j: usize) -> *mut T {
        self.pointer.wrapping_add(i * self.down + j * self.along)
    }
}

pub(crate) struct Pass<'a, T> {
    code: &'a Code,
    shape: (usize, usize),
    inputs: [Strided<T>; MOST_INPUTS],
    outputs: [Strided<T>; MOST_OUTPUTS],
    /// Rows and columns are exchanged.
    turned: bool,
    into: Into,
    workspace: &'a mut [T],
}

/// The part of the matrices that is worked on.
#[derive(Clone, Copy)]
struct Block {
    row: usize,
    rows: usize,
    column: usize,
    columns: usize,
}

impl<T: Float> Pass<'_, T> {
    /// Which direction an output's fold takes after a turn.
    fn over(&self, over: Over) -> Over {
        match over {
            Over::Row if self.turned => Over::Column,
            Over::Column if self.turned => Over::Row,
            other => other,
        }
    }

    /// Exchanges rows and columns where memory runs along columns; makes one long row of matrices without gaps.
    fn arrange(&mut self) {
        let (rows, columns) = self.shape;
        let stored = |(k, kind): (usize, &Output)| matches!(kind, Output::Store(_)).then_some(k);
        let stores = self.code.outputs.iter().enumerate().filter_map(stored).map(|k| self.outputs[k]);
        let places = self.inputs[..self.code.inputs].iter().copied().chain(stores);
        let (mut along, mut down) = (0, 0);
        for place in places {
            along += usize::from(place.along == 1 && place.down != 1);
            down += usize::from(place.down == 1 && place.along > 1);
        }
        if rows > 1 && (columns == 1 || down > along) {
            self.turned = true;
            self.shape = (columns, rows);
            for place in self.inputs.iter_mut().chain(&mut self.outputs) {
                std::mem::swap(&mut place.down, &mut place.along);
            }
        }
        let (rows, columns) = self.shape;
        let gapless = |place: &Strided<T>| {
            (place.along == 1 && (place.down == columns || rows == 1)) || (place.along == 0 && place.down == 0)
        };
        let inputs = self.inputs[..self.code.inputs].iter().all(gapless);
        let outputs = self.code.outputs.iter().zip(&self.outputs).all(|(kind, place)| match kind {
            Output::Store(_) => gapless(place),
            Output::Reduce(_, _, over) => *over == Over::All,
        });
        if inputs && outputs {
            self.shape = (1, rows * columns);
        }
    }
}

impl<T: Float> Kernel<T> for &mut Pass<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) {
        let (rows, columns) = self.shape;
        let length = block_length::<T>();
        let code = self.code;
        // The workspace from a cache line on: registers, copies of inputs, copies of outputs, numbers in all lanes.
        let base = self.workspace.as_mut_ptr();
        let base = base.wrapping_add(base.align_offset(64).min(super::code::T_PER_LINE));
        let input_copies = base.wrapping_add(code.registers * length);
        let output_copies = input_copies.wrapping_add(code.inputs * length);
        let constants = output_copies.wrapping_add(code.outputs.len() * length);
        let input_splats = constants.wrapping_add(code.constants.len() * SPLAT);
        let short = columns < length / 2;
        let step = if short { (length / columns.max(1)).clamp(1, rows.max(1)) } else { 1 };
        let mut totals = [0.0_f64; MOST_OUTPUTS];

        // SAFETY: all places below are inside of views or of the workspace, whose lengths were checked; the caller has asked
        // for the instructions of V.
        unsafe {
            for (k, &x) in code.constants.iter().enumerate() {
                fill(constants.add(k * SPLAT), T::from_f64(x));
            }
            self.start(&mut totals);
            let mut places = [Place::<T>::NOWHERE; MOST_INPUTS];
            let mut results = [std::ptr::null_mut::<T>(); MOST_OUTPUTS];
            let mut registers = [Place::<T>::NOWHERE; MOST_REGISTERS];
            let mut row = 0;
            while row < rows && columns > 0 {
                let height = step.min(rows - row);
                let mut column = 0;
                while column < columns {
                    let width = if short { columns } else { length.min(columns - column) };
                    let part = Block { row, rows: height, column, columns: width };
                    for (k, (place, input)) in places.iter_mut().zip(&self.inputs).take(code.inputs).enumerate() {
                        let copy = input_copies.add(k * length);
                        *place = fetch(*input, part, copy, input_splats.add(k * SPLAT), row == 0);
                    }
                    for (k, output) in code.outputs.iter().enumerate() {
                        if matches!(output, Output::Store(_)) {
                            let place = self.outputs[k];
                            let direct = place.along == 1 && (height == 1 || place.down == width);
                            results[k] = if direct { place.at(row, column) } else { output_copies.add(k * length) };
                            if !direct && reads_held(code, k) {
                                gather(place, part, results[k]);
                            }
                        }
                    }
                    execute::<V>(code, (&places, &results, &mut registers), base, constants, height * width);
                    self.leave::<V>(part, &places, &results, &registers, constants, &mut totals);
                    column += width;
                }
                self.end_row(row, &mut totals);
                row += height;
            }
            self.end(&totals);
        }
    }
}

/// Whether an instruction or an output reads what output k held.
fn reads_held(code: &Code, k: usize) -> bool {
    let held = Operand::Held(k as u8);
    code.instructions.iter().any(|instruction| instruction.operands().contains(&held))
        || code.outputs.iter().any(|output| output.from() == held)
}

/// The same number for every lane.
unsafe fn fill<T: Float>(to: *mut T, x: T) {
    for lane in 0..SPLAT {
        // SAFETY: the caller has that much room.
        unsafe { *to.add(lane) = x }
    }
}

/// A block of a matrix, row after row.
unsafe fn gather<T: Float>(from: Strided<T>, part: Block, to: *mut T) {
    for i in 0..part.rows {
        for j in 0..part.columns {
            // SAFETY: the entry is inside, and the copy has room for a block.
            unsafe { *to.add(i * part.columns + j) = *from.at(part.row + i, part.column + j) }
        }
    }
}

/// The other way.
unsafe fn scatter<T: Float>(from: *const T, part: Block, to: Strided<T>) {
    for i in 0..part.rows {
        for j in 0..part.columns {
            // SAFETY: as for `gather`.
            unsafe { *to.at(part.row + i, part.column + j) = *from.add(i * part.columns + j) }
        }
    }
}

/// Where the block of an input is read.
#[inline(always)]
unsafe fn fetch<T: Float>(input: Strided<T>, part: Block, copy: *mut T, splat: *mut T, first: bool) -> Place<T> {
    // SAFETY: the caller's.
    unsafe {
        if input.along == 0 && (part.rows == 1 || input.down == 0) {
            fill(splat, *input.at(part.row, part.column));
            return Place { pointer: splat, step: 0 };
        }
        if input.along == 1 && (part.rows == 1 || input.down == part.columns) {
            return Place { pointer: input.at(part.row, part.column), step: 1 };
        }
        // A row that is repeated in blocks of whole rows is the same in all of them.
        if first || input.down != 0 || part.rows == 1 {
            gather(input, part, copy);
        }
        Place { pointer: copy, step: 1 }
    }
}

/// Where inputs, outputs and registers stand.
type Places<'a, T> = (&'a [Place<T>; MOST_INPUTS], &'a [*mut T; MOST_OUTPUTS], &'a mut [Place<T>; MOST_REGISTERS]);

/// Runs the instructions over a block and says where each register stands.
#[inline(always)]
unsafe fn execute<V: Lanes>(
    code: &Code,
    (inputs, outputs, registers): Places<'_, V::Scalar>,
    base: *mut V::Scalar,
    constants: *mut V::Scalar,
    n: usize,
) {
    for (instruction, direct) in code.instructions.iter().zip(&code.direct) {
        let at = |operand| place(code, operand, registers, inputs, outputs, constants);
        let to = match direct {
            Some(output) => outputs[usize::from(*output)],
            None => base.wrapping_add(usize::from(instruction.to()) * block_length::<V::Scalar>()),
        };
        // SAFETY: every place has n numbers.
        unsafe {
            match *instruction {
                Instruction::Unary { function, of, .. } => block::unary::<V>(function, at(of), to, n),
                Instruction::Binary { function, left, right, .. } => {
                    block::binary::<V>(function, at(left), at(right), to, n);
                }
                Instruction::MultiplyAdd { left, right, plus, .. } => {
                    block::multiply_add::<V>([at(left), at(right), at(plus)], to, n);
                }
                Instruction::Select { condition, then, otherwise, .. } => {
                    block::select::<V>([at(condition), at(then), at(otherwise)], to, n);
                }
            }
        }
        registers[usize::from(instruction.to())] = Place { pointer: to, step: 1 };
    }
}

/// Where an operand stands.
#[inline(always)]
fn place<T: Float>(
    code: &Code,
    operand: Operand,
    registers: &[Place<T>; MOST_REGISTERS],
    inputs: &[Place<T>; MOST_INPUTS],
    outputs: &[*mut T; MOST_OUTPUTS],
    constants: *mut T,
) -> Place<T> {
    match operand {
        Operand::Register(register) => registers[usize::from(register)],
        Operand::Input(input) => inputs[usize::from(input)],
        Operand::Held(output) => Place { pointer: outputs[usize::from(output)], step: 1 },
        Operand::Constant(x) => {
            let k = code.constants.iter().position(|constant| constant.to_bits() == x.to_bits()).unwrap_or_default();
            Place { pointer: constants.wrapping_add(k * SPLAT), step: 0 }
        }
    }
}

impl<T: Float> Pass<'_, T> {
    /// What sums and maxima start from.
    unsafe fn start(&self, totals: &mut [f64; MOST_OUTPUTS]) {
        for (k, output) in self.code.outputs.iter().enumerate() {
            let Output::Reduce(_, fold, over) = *output else { continue };
            let nothing = if fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY };
            totals[k] = nothing;
            if self.into == Into::Add {
                continue;
            }
            let (rows, columns) = match self.over(over) {
                Over::Row => (self.shape.0, 1),
                Over::Column => (1, self.shape.1),
                Over::All => (1, 1),
            };
            for i in 0..rows {
                for j in 0..columns {
                    // SAFETY: the entry is inside of the output.
                    unsafe { *self.outputs[k].at(i, j) = T::from_f64(nothing) }
                }
            }
        }
    }

    /// Stores a block's results, or takes them into sums and maxima.
    #[inline(always)]
    unsafe fn leave<V: Lanes<Scalar = T>>(
        &self,
        part: Block,
        inputs: &[Place<T>; MOST_INPUTS],
        results: &[*mut T; MOST_OUTPUTS],
        registers: &[Place<T>; MOST_REGISTERS],
        constants: *mut T,
        totals: &mut [f64; MOST_OUTPUTS],
    ) {
        let code = self.code;
        for (k, output) in code.outputs.iter().enumerate() {
            let from = place(code, output.from(), registers, inputs, results, constants);
            // SAFETY: the block is inside of the output, and every place has a block's numbers.
            unsafe {
                match *output {
                    Output::Store(_) => {
                        let n = part.rows * part.columns;
                        if from.step == 0 || !std::ptr::eq(from.pointer, results[k]) {
                            block::unary::<V>(super::Unary::Copy, from, results[k], n);
                        }
                        let there = self.outputs[k].at(part.row, part.column);
                        if !std::ptr::eq(results[k], there) {
                            scatter(results[k], part, self.outputs[k]);
                        }
                    }
                    Output::Reduce(_, fold, over) => match self.over(over) {
                        Over::All => {
                            let value = reduce::<V>(fold, from, part.rows * part.columns).to_f64();
                            totals[k] = combine(fold, totals[k], value);
                        }
                        Over::Row if part.columns == self.shape.1 => {
                            for i in 0..part.rows {
                                let pointer = from.pointer.add(i * part.columns * from.step);
                                let value = reduce::<V>(fold, Place { pointer, ..from }, part.columns);
                                fold_into(fold, self.outputs[k].at(part.row + i, 0), value.to_f64());
                            }
                        }
                        Over::Row => {
                            // A stretch of one row: taken together until the row ends.
                            let value = reduce::<V>(fold, from, part.columns).to_f64();
                            totals[k] = combine(fold, totals[k], value);
                        }
                        Over::Column => self.fold_columns::<V>(k, fold, from, part),
                    },
                }
            }
        }
    }

    /// Takes a block into the columns' sums or maxima.
    #[inline(always)]
    unsafe fn fold_columns<V: Lanes<Scalar = T>>(&self, k: usize, fold: Fold, from: Place<T>, part: Block) {
        let (output, Block { rows, column, columns, .. }) = (self.outputs[k], part);
        // SAFETY: the columns are inside of the output, and the block's numbers stand row after row.
        unsafe {
            if output.along != 1 || from.step != 1 {
                for at in 0..rows * columns {
                    let value = (*from.pointer.add(at * from.step)).to_f64();
                    fold_into(fold, output.at(0, column + at % columns), value);
                }
                return;
            }
            let to = output.at(0, column);
            let mut j = 0;
            while j < columns {
                let count = V::COUNT.min(columns - j);
                let whole = count == V::COUNT;
                let mut x = if whole { V::load(to.add(j)) } else { V::load_first(to.add(j), count) };
                for i in 0..rows {
                    let place = from.pointer.add(i * columns + j);
                    let y = if whole { V::load(place) } else { V::load_first(place, count) };
                    x = match fold {
                        Fold::Sum => x + y,
                        Fold::Largest => block::larger(x, y),
                    };
                }
                if whole {
                    x.store(to.add(j))
                } else {
                    x.store_first(to.add(j), count)
                }
                j += V::COUNT;
            }
        }
    }

    /// At the end of a row that was worked on in stretches.
    unsafe fn end_row(&self, row: usize, totals: &mut [f64; MOST_OUTPUTS]) {
        if self.shape.1 <= block_length::<T>() {
            return;
        }
        for (k, output) in self.code.outputs.iter().enumerate() {
            if let Output::Reduce(_, fold, over) = *output
                && self.over(over) == Over::Row
            {
                // SAFETY: the row is inside of the output.
                unsafe { fold_into(fold, self.outputs[k].at(row, 0), totals[k]) }
                totals[k] = if fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY };
            }
        }
    }

    /// At the end of the pass.
    unsafe fn end(&self, totals: &[f64; MOST_OUTPUTS]) {
        for (k, output) in self.code.outputs.iter().enumerate() {
            if let Output::Reduce(_, fold, Over::All) = *output {
                // SAFETY: the output is one number.
                unsafe { fold_into(fold, self.outputs[k].at(0, 0), totals[k]) }
            }
        }
    }
}

#[inline(always)]
unsafe fn reduce<V: Lanes>(fold: Fold, from: Place<V::Scalar>, n: usize) -> V::Scalar {
    // SAFETY: the caller's.
    unsafe {
        match fold {
            Fold::Sum => block::sum::<V>(from, n),
            Fold::Largest => block::largest::<V>(from, n),
        }
    }
}

fn combine(fold: Fold, x: f64, y: f64) -> f64 {
    match fold {
        Fold::Sum => x + y,
        Fold::Largest => block::larger_of(x, y),
    }
}

unsafe fn fold_into<T: Float>(fold: Fold, to: *mut T, value: f64) {
    // SAFETY: the caller's.
    unsafe { *to = T::from_f64(combine(fold, (*to).to_f64(), value)) }
}
