//! What the benches of compiled programs share. A program, its sizes and its data come in; the time of a run goes out, with the
//! peak of the processor measured between the runs, so that what else the machine does slows both, and with sums that tell
//! whether the results are right. No gradient is written here: all come from the program's text.

mod peak;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use matgrad::answer::Answer;
use matgrad::expr::ExprId;
use matgrad::plan::{Form, Input, Plan, Precision, Request, Tuning};
use matgrad::run::cpu::{Buffer, InstructionSet, Pool};
use matgrad::run::{Executable, Given};

/// What a bench is told: `[NAME…] [--plan] [--json] [--data FOLDER] [--threads N] [--seconds S] [--bf16]`.
pub struct Arguments {
    /// The cases to measure; all where none is named.
    names: Vec<String>,
    /// Shows the plans.
    plan: bool,
    /// Prints a line of JSON for each case, and nothing else.
    pub json: bool,
    /// Where the arrays are: `CASE/NAME.f32` has the numbers of a variable row by row, `CASE/NAME.u32` labels, both raw and in
    /// the processor's order of bytes. Without it they are random.
    data: Option<PathBuf>,
    /// How many threads take part, one after the other.
    pub threads: Vec<usize>,
    /// For how long a case is repeated.
    seconds: f64,
    /// In which numbers: f32, or the factors of products in bf16.
    precision: Precision,
}

impl Arguments {
    /// Those of this process.
    ///
    /// # Panics
    /// For an option that is not known, or lacks its value.
    pub fn read() -> Arguments {
        let mut out = Arguments {
            names: Vec::new(),
            plan: false,
            json: false,
            data: None,
            threads: vec![1, 2],
            seconds: 1.5,
            precision: Precision::Single,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("`{word}` lacks its value"));
            match word.as_str() {
                "--bench" => {}
                "--plan" => out.plan = true,
                "--json" => out.json = true,
                "--bf16" => out.precision = Precision::Mixed,
                "--data" => out.data = Some(value().into()),
                "--threads" => out.threads = vec![value().parse().expect("a number of threads")],
                "--seconds" => out.seconds = value().parse().expect("a number of seconds"),
                name if !name.starts_with("--") => out.names.push(name.to_owned()),
                _ => panic!("`{word}` is no option of this bench"),
            }
        }
        out
    }

    /// Whether a case is to be measured.
    pub fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

/// A program at sizes.
pub struct Case<'a> {
    /// Its name, which is that of the folder with its data.
    pub name: &'a str,
    /// The program with its gradients, all of one scalar.
    pub answer: &'a Answer,
    /// The dimensions by name.
    pub sizes: &'a [(&'a str, i64)],
    /// The variable that is given as labels, if there is one.
    pub labels: Option<&'a str>,
    /// The multiplications and additions of the products that nobody can do without; `None` where the share of the peak says
    /// little.
    pub operations: Option<f64>,
}

/// What a case came to.
struct Measured {
    /// Seconds of a run, rising.
    times: Vec<f64>,
    /// Multiplications and additions per second of all threads in units of 10⁹, the median and the highest.
    peaks: [f64; 2],
    /// Which part of the time the processor worked for this thread, where the system tells.
    processor: Option<f64>,
    /// The loss, and the sum of absolute values of each gradient.
    checks: Vec<f64>,
}

/// The heading of the lines that [`measure`] prints.
pub fn heading() {
    println!("{}", InstructionSet::detect().name());
    println!(
        "{:<26} {:>7} {:>11} {:>11} {:>9} {:>9} {:>7} {:>10}",
        "case", "threads", "median us", "best us", "GFLOP/s", "peak", "share", "processor"
    );
}

/// Measures a case with each number of threads and prints a line for each.
pub fn measure(case: &Case<'_>, arguments: &Arguments) {
    for &threads in &arguments.threads {
        let start = Instant::now();
        let plan = planned(case, threads, arguments.precision);
        if arguments.plan {
            println!("{plan}planned in {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
        }
        let measured = measured(case, plan, threads, arguments);
        if arguments.json { json(case, threads, &measured) } else { line(case, threads, &measured) }
    }
}

fn line(case: &Case<'_>, threads: usize, measured: &Measured) {
    let Measured { times, peaks: [peak, _], processor, .. } = measured;
    let time = times[times.len() / 2];
    let (speed, share) = case.operations.map_or((String::new(), String::new()), |operations| {
        let speed = operations / time / 1e9;
        (format!("{speed:.1}"), format!("{:.1}%", 100.0 * speed / peak))
    });
    println!(
        "{:<26} {threads:>7} {:>11.1} {:>11.1} {speed:>9} {peak:>9.1} {share:>7} {:>9.0}%",
        case.name,
        time * 1e6,
        times[0] * 1e6,
        100.0 * processor.unwrap_or(f64::NAN)
    );
}

fn json(case: &Case<'_>, threads: usize, measured: &Measured) {
    let Measured { times, peaks: [peak, highest], checks, .. } = measured;
    let (time, best) = (times[times.len() / 2], times[0]);
    let share = |time: f64, peak: f64| {
        case.operations.map_or("null".to_owned(), |operations| format!("{:.4}", operations / time / 1e9 / peak))
    };
    println!(
        "{{\"case\": \"{}\", \"threads\": {threads}, \"median_us\": {:.2}, \"best_us\": {:.2}, \"peak_gflops\": {peak:.1}, \
         \"share\": {}, \"best_share\": {}, \"checks\": {checks:?}}}",
        case.name,
        time * 1e6,
        best * 1e6,
        share(time, *peak),
        share(best, *highest)
    );
}

/// The plan of the loss and its gradients.
pub fn planned(case: &Case<'_>, threads: usize, precision: Precision) -> Plan {
    let sizes: HashMap<String, i64> = case.sizes.iter().map(|&(name, size)| (name.to_owned(), size)).collect();
    let answer = case.answer;
    let loss = answer.outcomes[0].of_node;
    let roots: Vec<ExprId> = std::iter::once(loss).chain(answer.outcomes.iter().map(|o| o.result)).collect();
    let labels: Vec<ExprId> = answer
        .arena
        .reachable(&roots)
        .into_iter()
        .filter(|&id| case.labels == Some(answer.arena.name_of(id).as_str()))
        .collect();
    let request =
        Request { sizes: &sizes, independent: &[], labels: &labels, precision, threads, tuning: Tuning::default() };
    Plan::new(&answer.arena, &roots, &request).expect("a plan")
}

fn measured(case: &Case<'_>, plan: Plan, threads: usize, arguments: &Arguments) -> Measured {
    let mut pool = Pool::new(threads);
    let folder = arguments.data.as_ref().map(|data| data.join(case.name));
    let mut state = 1_u64;
    let (mut arrays, mut labels) = (Vec::new(), Vec::<u32>::new());
    for input in &plan.inputs {
        match input.form {
            Form::Entries => arrays.push(entries(input, folder.as_deref(), &mut state)),
            Form::Labels => labels = labels_of(input, folder.as_deref()),
        }
    }
    let mut next = arrays.iter();
    let given: Vec<Given<'_, f32>> = plan
        .inputs
        .iter()
        .map(|input| match input.form {
            Form::Entries => Given::Entries(next.next().expect("an array for each")),
            Form::Labels => Given::Labels(&labels),
        })
        .collect();
    let mut results: Vec<Buffer<f32>> = plan.outputs.iter().map(|o| Buffer::zeroed(o.rows * o.columns)).collect();
    let mut executable = Executable::<f32>::new(plan, InstructionSet::detect()).expect("a plan in f32");
    let mut run = |pool: &mut Pool| {
        let mut outputs: Vec<&mut [f32]> = results.iter_mut().map(|result| &mut **result).collect();
        let start = Instant::now();
        executable.run(pool, &given, &mut outputs).expect("a run");
        start.elapsed().as_secs_f64()
    };
    run(&mut pool);
    let (mut times, mut peaks) = (Vec::<f64>::new(), Vec::<f64>::new());
    let (started, processor_before) = (Instant::now(), processor_time());
    while started.elapsed().as_secs_f64() < arguments.seconds || times.len() < 5 {
        peaks.push(peak::peak(&mut pool));
        // About as long as the peak took: neither cools or warms the processor for the other.
        let long = times.last().is_none_or(|&time| time > 2e-4);
        let repeat = if long { 1 } else { (2e-4 / times[times.len() - 1]).clamp(1.0, 50.0) as usize };
        times.extend((0..repeat).map(|_| run(&mut pool)));
    }
    let elapsed = started.elapsed().as_secs_f64();
    let processor = processor_time().zip(processor_before).map(|(now, before)| (now - before) / elapsed);
    times.sort_by(f64::total_cmp);
    peaks.sort_by(f64::total_cmp);
    let sum = |result: &Buffer<f32>| result.iter().map(|&entry| f64::from(entry).abs()).sum::<f64>();
    let checks = std::iter::once(f64::from(results[0][0])).chain(results[1..].iter().map(sum)).collect();
    let peaks = [peaks[peaks.len() / 2], peaks[peaks.len() - 1]];
    Measured { times, peaks, processor, checks }
}

/// The numbers of an input: those of its file, or random ones. In memory as NumPy has it.
fn entries(input: &Input, folder: Option<&Path>, state: &mut u64) -> Buffer<f32> {
    let mut out = Buffer::zeroed(input.rows * input.columns);
    if let Some(folder) = folder {
        let path = folder.join(format!("{}.f32", input.name));
        let numbers = raw(&path, out.len()).map(f32::from_ne_bytes);
        out.iter_mut().zip(numbers).for_each(|(entry, number)| *entry = number);
        return out;
    }
    let scale = 2.0 / (input.rows as f32).sqrt();
    for entry in out.iter_mut() {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *entry = ((*state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5) * scale;
    }
    out
}

/// The labels of an input: those of its file, or each class in turn.
fn labels_of(input: &Input, folder: Option<&Path>) -> Vec<u32> {
    match folder {
        Some(folder) => raw(&folder.join(format!("{}.u32", input.name)), input.rows).map(u32::from_ne_bytes).collect(),
        None => (0..input.rows as u32).map(|i| (i * 7) % input.columns as u32).collect(),
    }
}

/// The numbers of a file, four bytes each.
fn raw(path: &Path, count: usize) -> impl Iterator<Item = [u8; 4]> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(bytes.len(), 4 * count, "{} has another size", path.display());
    (0..count).map(move |i| [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
}

/// Seconds that the processor gave this thread, where the system tells: others may have had it in between.
fn processor_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}
