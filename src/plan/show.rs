//! A plan as a text: what is given, each stage with its regions and steps, and how many operations and bytes they take.

use std::fmt::{self, Write as _};

use super::graph::{Direction, Elementary, Operation, Reduction, Use, ValueId};
use super::{Form, Pass, Place, Plan, Precision, ProductStep, Region, Scale, Step, Then};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = match self.precision {
            Precision::Mixed => "f32, factors of products in bf16",
            other => other.name(),
        };
        let threads = if self.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", self.threads) };
        let bytes = self.precision.bytes() as f64;
        writeln!(f, "{numbers}, {threads}")?;
        writeln!(f, "  {} operations, {} bytes read and written", count(self.operations), count(self.bytes))?;
        writeln!(
            f,
            "  {} bytes of memory, {} more for each thread",
            count(self.memory as f64 * bytes),
            count(self.block_memory as f64 * bytes)
        )?;
        writeln!(f, "inputs")?;
        for input in &self.inputs {
            let form = if input.form == Form::Labels { ", by labels" } else { "" };
            writeln!(f, "  {} : {}x{}{form}", input.name, input.rows, input.columns)?;
        }
        for (i, stage) in self.stages.iter().enumerate() {
            writeln!(f, "stage {}", i + 1)?;
            if !stage.gathers.is_empty() {
                let names: Vec<String> = stage.gathers.iter().map(|&id| self.label(id)).collect();
                writeln!(f, "  add up over the threads: {}", names.join(", "))?;
            }
            for region in &stage.regions {
                self.region(f, region)?;
            }
        }
        let copies: Vec<String> = self
            .outputs
            .iter()
            .enumerate()
            .filter(|(i, output)| self.place(output.value) != Place::Output(*i))
            .map(|(i, output)| format!("  output {} = {}", i + 1, self.label(output.value)))
            .collect();
        if !copies.is_empty() {
            writeln!(f, "copies\n{}", copies.join("\n"))?;
        }
        Ok(())
    }
}

/// A number with a comma between thousands.
fn count(x: f64) -> String {
    let digits = format!("{x:.0}");
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 && c.is_ascii_digit() {
            out.push(',');
        }
        out.push(c);
    }
    out
}

impl Plan {
    fn region(&self, f: &mut fmt::Formatter<'_>, region: &Region) -> fmt::Result {
        let rows = if region.rows == 1 { "1 row".to_owned() } else { format!("{} rows", region.rows) };
        let blocks = if region.block < region.rows { format!(", {} at a time", region.block) } else { String::new() };
        let shared = if region.shared { ", all threads" } else { "" };
        writeln!(f, "  {rows}{blocks}{shared}: {} operations", count(region.operations))?;
        for step in &region.steps {
            self.step(f, step)?;
        }
        Ok(())
    }

    fn step(&self, f: &mut fmt::Formatter<'_>, step: &Step) -> fmt::Result {
        match step {
            Step::Product(product) => self.product(f, product),
            Step::Softmax(softmax) => {
                let of = self.label(softmax.of);
                let parts = [(softmax.softmax, "softmax"), (softmax.log, "logsoftmax"), (softmax.log_sum, "logsumexp")];
                for (id, name) in parts {
                    if let Some(id) = id {
                        writeln!(f, "    {} = {name}({of})", self.target(id))?;
                    }
                }
                let target = softmax.target.map(|id| self.label(id)).unwrap_or_default();
                if let Some((scale, id)) = softmax.difference {
                    let scale = if scale == Scale::ONE { String::new() } else { format!("{}*", self.scale(scale)) };
                    writeln!(f, "    {} = {scale}(softmax({of}) - {target})", self.target(id))?;
                }
                if let Some(id) = softmax.likelihood {
                    writeln!(f, "    {} = sum({target} .* logsoftmax({of}))", self.target(id))?;
                }
                Ok(())
            }
            Step::Pass(pass) => self.pass(f, pass),
            Step::Accumulate { left, right, out } => {
                let left = self.operand(Use { value: *left, transposed: true });
                writeln!(f, "    {} = {left}*{}, row by row", self.target(*out), self.label(*right))
            }
            Step::Identity(id) => writeln!(f, "    {} = eye({})", self.target(*id), self.value(*id).rows),
            Step::Labels(id) => writeln!(f, "    {} = one-hot rows of the labels", self.target(*id)),
            Step::Transpose(id) => {
                let Operation::Transpose(of) = self.value(*id).operation else { return Ok(()) };
                writeln!(f, "    {} = {}'", self.target(*id), self.label(of))
            }
            Step::Reference(id) => {
                let Operation::Reference(reference, list) = &self.value(*id).operation else { return Ok(()) };
                let list: Vec<String> = list.iter().map(|&operand| self.operand(operand)).collect();
                writeln!(f, "    {} = {}({})", self.target(*id), reference.name(), list.join(", "))
            }
        }
    }

    fn product(&self, f: &mut fmt::Formatter<'_>, product: &ProductStep) -> fmt::Result {
        let mut text = format!("{}*{}", self.operand(product.left), self.operand(product.right));
        if product.scale != Scale::ONE {
            text = format!("{}*{text}", self.scale(product.scale));
        }
        if let Some((scale, added)) = product.added {
            let added = self.operand(added);
            match scale {
                Scale::ONE => write!(text, " + {added}")?,
                Scale { number: -1.0, value: None } => write!(text, " - {added}")?,
                _ => write!(text, " + {}*{added}", self.scale(scale))?,
            }
        }
        let text = match product.then {
            Then::Nothing => text,
            Then::Relu => format!("relu({text})"),
            Then::WhereAbove(of) => format!("({text}) where {} > 0", self.operand(of)),
            Then::Times(of) => format!("({text}) .* {}", self.operand(of)),
        };
        writeln!(f, "    {} = {text}", self.target(product.out))?;
        if let Some(sums) = product.sums {
            writeln!(f, "      {} = its column sums", self.target(sums))?;
        }
        if let (Some(sum), Some((_, added))) = (product.squares, product.added) {
            let added = self.operand(added);
            writeln!(f, "      {} = sum({added} .* {added})", self.target(sum))?;
        }
        Ok(())
    }

    fn pass(&self, f: &mut fmt::Formatter<'_>, pass: &Pass) -> fmt::Result {
        writeln!(f, "    pass over {} column{}", pass.columns, if pass.columns == 1 { "" } else { "s" })?;
        let used = |id: ValueId| {
            let reads = |user: &&ValueId| {
                let mut found = 0;
                self.value(**user).operation.operands(|operand| found += usize::from(operand.value == id));
                found > 0
            };
            pass.maps.iter().chain(&pass.reductions).filter(reads).count()
        };
        // What one other operation reads and nobody keeps is written into it.
        let inlined: Vec<ValueId> =
            pass.maps.iter().copied().filter(|&id| !pass.stored.contains(&id) && used(id) == 1).collect();
        for &id in &pass.maps {
            if !inlined.contains(&id) {
                let kept = if pass.stored.contains(&id) { self.target(id) } else { self.label(id) };
                writeln!(f, "      {kept} = {}", self.map(id, &inlined))?;
            }
        }
        for &id in &pass.reductions {
            let Operation::Reduce(reduction, direction, of) = self.value(id).operation else { continue };
            let name = match (reduction, direction) {
                (Reduction::Sum, Direction::Rows) => "rowsum",
                (Reduction::Sum, Direction::Columns) => "colsum",
                (Reduction::Sum, Direction::All) => "sum",
                (Reduction::Max, Direction::Rows) => "largest of each row",
                (Reduction::Max, Direction::Columns) => "largest of each column",
                (Reduction::Max, Direction::All) => "largest",
            };
            let of = self.inline(Use { value: of, transposed: false }, &inlined, false);
            writeln!(f, "      {} = {name}({of})", self.target(id))?;
        }
        Ok(())
    }

    /// A map as an expression. The pass bounds how deep it is.
    fn map(&self, id: ValueId, inlined: &[ValueId]) -> String {
        let Operation::Map(elementary, list) = &self.value(id).operation else { return self.label(id) };
        let operand = |i: usize, bracket: bool| self.inline(list[i], inlined, bracket);
        let infix = |sign: &str| format!("{} {sign} {}", operand(0, true), operand(1, true));
        let call = |name: &str| format!("{name}({}, {})", operand(0, false), operand(1, false));
        match elementary {
            Elementary::Copy => format!("copies of {}", operand(0, false)),
            Elementary::Add => infix("+"),
            Elementary::Subtract => infix("-"),
            Elementary::Multiply if self.use_shape(list[0]) == (1, 1) => {
                format!("{}*{}", operand(0, true), operand(1, true))
            }
            Elementary::Multiply => infix(".*"),
            Elementary::Divide => infix("./"),
            Elementary::Power => infix(".^"),
            Elementary::Compare(comparison) => infix(comparison.text()),
            Elementary::Maximum => call("max"),
            Elementary::Minimum => call("min"),
            Elementary::LeakyRelu => call("leaky_relu"),
            Elementary::Function(function) => format!("{}({})", function.name(), operand(0, false)),
        }
    }

    fn inline(&self, operand: Use, inlined: &[ValueId], bracket: bool) -> String {
        if !inlined.contains(&operand.value) {
            return self.operand(operand);
        }
        let text = self.map(operand.value, inlined);
        let call = matches!(
            &self.value(operand.value).operation,
            Operation::Map(
                Elementary::Function(_) | Elementary::Maximum | Elementary::Minimum | Elementary::LeakyRelu,
                _
            )
        );
        if bracket && !call { format!("({text})") } else { text }
    }

    fn scale(&self, scale: Scale) -> String {
        match scale.value {
            None => number(scale.number),
            Some(id) if scale.number == 1.0 => self.label(id),
            Some(id) if scale.number == -1.0 => format!("-{}", self.label(id)),
            Some(id) => format!("{}*{}", number(scale.number), self.label(id)),
        }
    }

    fn operand(&self, operand: Use) -> String {
        let turned = operand.transposed && (self.value(operand.value).rows > 1);
        match (turned, self.label(operand.value)) {
            (false, label) => label,
            (true, label) => match label.strip_suffix('\'') {
                Some(label) => label.to_owned(),
                None => format!("{label}'"),
            },
        }
    }

    /// What a value is called: by the program, or by its number.
    fn label(&self, id: ValueId) -> String {
        let value = self.value(id);
        match (&value.operation, &self.names[id.0 as usize]) {
            (Operation::Constant(bits), _) => number(f64::from_bits(*bits)),
            (Operation::Input(place), _) => {
                let input = &self.inputs[*place as usize];
                if input.rows == 1 && input.columns > 1 { format!("{}'", input.name) } else { input.name.clone() }
            }
            (Operation::Labels(place), _) => self.inputs[*place as usize].name.clone(),
            (_, Some(name)) => name.clone(),
            _ => format!("t{}", id.0),
        }
    }

    /// A value that is written, with its shape.
    fn target(&self, id: ValueId) -> String {
        let value = self.value(id);
        let place = match self.place(id) {
            Place::Output(place) => format!(" (output {})", place + 1),
            Place::Memory(_) => " (memory)".to_owned(),
            Place::Input(_) | Place::Nowhere | Place::Block(_) => String::new(),
        };
        format!("{}{place} [{}x{}]", self.label(id), value.rows, value.columns)
    }
}

fn number(x: f64) -> String {
    if x == x.trunc() && x.abs() < 1e9 { format!("{x}") } else { format!("{x:.6e}") }
}
