//! Random programs from the bytes of their text to their results, against numbers that are found another way. A program
//! that fails is printed with its seed, made as small as it stays wrong. `RANDOM_PROGRAMS=1000000 RANDOM_SEED=5 cargo test
//! --release --test random` runs others.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use matgrad::functions::{ALIASES, ENTRIES};
use random::chance::asked;
use random::found::FOUND;
use random::generate::program;
use random::identities::IDENTITIES;
use random::judge::{Verdict, judge, judge_at, judge_text};
use random::shrink::shrunk;
use random::tree::Brackets;

// The dereference that the lint would drop is what lets the compiler find the type.
// Negated comparisons are true of NaN too, as they should be.
#[allow(clippy::explicit_auto_deref, clippy::neg_cmp_op_on_partial_ord)]
mod random {
    pub mod bound;
    pub mod chance;
    pub mod curvature;
    pub mod direct;
    pub mod dual;
    pub mod found;
    pub mod free;
    pub mod generate;
    pub mod identities;
    pub mod judge;
    pub mod points;
    pub mod readback;
    pub mod second;
    pub mod shrink;
    pub mod tree;
}

/// Programs of one run of the tests.
const PROGRAMS: u64 = 20_000;
/// Programs of second order of one run.
const PROGRAMS_OF_SECOND_ORDER: u64 = 5_000;
/// Programs whose Hessians are judged for curvature.
const PROGRAMS_OF_CURVATURE: u64 = 1_000;
/// Of so many programs one is checked by the library's own check too.
const THOROUGH: u64 = 8;

/// Each identity is tried at so many points of its domain.
const POINTS_OF_AN_IDENTITY: usize = 24;

#[derive(Default)]
struct Tally {
    good: u64,
    results: usize,
    texts: usize,
    steps: usize,
    stable: usize,
    same: usize,
    resampled: usize,
    /// Why nothing could be said: how often, and the first seed.
    open: BTreeMap<String, (u64, u64)>,
    wrong: Vec<(u64, &'static str, String)>,
}

/// How a program of a seed is judged, thoroughly or not.
type Judging = fn(&random::tree::Program, u64, bool) -> Verdict;

fn verdict(seed: u64, judging: Judging) -> Verdict {
    let made = program(seed);
    let judged = std::panic::catch_unwind(|| judging(&made, seed, seed.is_multiple_of(THOROUGH)));
    judged.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
        Verdict::Wrong("panic", text.unwrap_or_default())
    })
}

/// The program of a seed, small, with what is wrong with it.
fn report(seed: u64, kind: &str, judging: Judging, text: fn(&random::tree::Program, u64) -> String) -> String {
    let fails = |p: &random::tree::Program| {
        let judged = std::panic::catch_unwind(|| judging(p, seed, kind == "check"));
        match judged {
            Ok(Verdict::Wrong(found, _)) => found == kind,
            Ok(_) => false,
            Err(_) => kind == "panic",
        }
    };
    let whole = program(seed);
    let small = shrunk(&whole, &mut |p| fails(p));
    let what = match std::panic::catch_unwind(|| judging(&small, seed, kind == "check")) {
        Ok(Verdict::Wrong(_, what)) => what,
        _ => String::new(),
    };
    format!("seed {seed}: {kind}\n--- whole\n{}--- small\n{}--- {what}\n", text(&whole, seed), text(&small, seed))
}

#[test]
fn random_programs_have_the_numbers_of_their_trees() {
    run(asked("RANDOM_PROGRAMS", PROGRAMS), 9, judge, |program, _| program.text(Brackets::Needed));
}

#[test]
fn random_programs_have_the_second_derivatives_of_their_trees() {
    let programs = asked("RANDOM_SECOND", PROGRAMS_OF_SECOND_ORDER);
    run(programs, 7, random::second::judge, |program, seed| random::second::source(program, seed).unwrap_or_default());
}

/// Judges so many programs; of ten at least `judged` must not be left open.
fn run(programs: u64, judged: u64, judging: Judging, text: fn(&random::tree::Program, u64) -> String) {
    let first = asked("RANDOM_SEED", 1) * 1_000_000_000 + asked("RANDOM_FIRST", 0);
    let most_shown = asked("RANDOM_SHOWN", 5) as usize;
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    let threads = asked("RANDOM_THREADS", std::thread::available_parallelism().map_or(2, |n| n.get() as u64));
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            std::thread::Builder::new()
                .stack_size(16 << 20)
                .spawn_scoped(scope, || {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= programs {
                            break;
                        }
                        let seed = first + i;
                        let verdict = verdict(seed, judging);
                        let mut tally = tally.lock().expect("no thread panics");
                        match verdict {
                            Verdict::Good(counts) => {
                                tally.good += 1;
                                tally.results += counts.results;
                                tally.texts += counts.texts;
                                tally.steps += counts.steps;
                                tally.stable += counts.stable;
                                tally.same += counts.same_with_fewer_steps;
                                tally.resampled += counts.resampled;
                            }
                            Verdict::Open(why) => tally.open.entry(why).or_insert((0, seed)).0 += 1,
                            Verdict::Wrong(kind, what) => tally.wrong.push((seed, kind, what)),
                        }
                    }
                })
                .expect("a thread");
        }
    });
    let mut tally = tally.into_inner().expect("no thread panics");
    tally.wrong.sort_by_key(|(seed, ..)| *seed);
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, kind, _) in &tally.wrong {
        *kinds.entry(kind).or_default() += 1;
    }
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reports = Vec::new();
    for (seed, kind, _) in &tally.wrong {
        let count = shown.entry(kind).or_default();
        *count += 1;
        if *count <= most_shown {
            reports.push(report(*seed, kind, judging, text));
        }
    }
    std::panic::set_hook(quiet);
    println!(
        "{programs} programs: {} good with {} results, {} texts ({} of them stable), {} lines; {} of two with fewer steps the \
         same; {} points resampled; \
         wrong {kinds:?}; open {:?}",
        tally.good, tally.results, tally.texts, tally.stable, tally.steps, tally.same, tally.resampled, tally.open
    );
    assert!(tally.wrong.is_empty(), "{kinds:?}\n{}", reports.join("\n"));
    assert!(tally.good * 10 >= programs * judged, "only {} of {programs} programs were judged", tally.good);
}

#[test]
fn what_is_called_convex_is() {
    let programs = asked("RANDOM_CURVATURE", PROGRAMS_OF_CURVATURE);
    let first = asked("RANDOM_SEED", 1) * 1_000_000_000;
    let mut seen = random::curvature::Seen::default();
    let mut wrong = Vec::new();
    for seed in first..first + programs {
        let source = random::curvature::source(&program(seed), seed);
        wrong.extend(random::curvature::judge(&source, seed, &mut seen));
    }
    println!("{seen:?}");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(seen.settled > 50 && seen.chords > 100 && seen.spectra > 20, "{seen:?}");
}

#[test]
fn random_programs_use_the_whole_language() {
    let texts: Vec<String> = (0..4_000).map(|seed| program(seed).text(Brackets::Needed)).collect();
    let mut words: Vec<String> = ENTRIES.iter().map(|entry| format!("{}(", entry.name)).collect();
    words.extend(ALIASES.iter().map(|(name, _)| format!("{name}(")));
    let types = ["vector", "row", "matrix", "symmetric", "skew", "diagonal", "orthogonal", "posdef", "invertible"];
    words.extend(types.iter().chain(&["onehot", "rowstochastic"]).map(|name| format!(" : {name}(")));
    let properties = ["positive", "nonnegative", "constant", "invertible", "orthogonal"];
    words.extend(properties.iter().map(|name| format!("assume {name}(")));
    let signs = [
        " + ",
        " - ",
        "*",
        " .* ",
        " ./ ",
        "/",
        " \\ ",
        "^2",
        ".^",
        "^-1",
        "^(1/2)",
        "^(-1/2)",
        "'",
        "ᵀ",
        "^T",
        ".'",
        "²",
        "⁻¹",
        "⊙",
        "⊘",
        "·",
        " > ",
        " >= ",
        " < ",
        " <= ",
        " == ",
        " != ",
        "<",
        "[",
        "; ",
        ", axis=0",
        "pi",
        " : scalar",
        "dim ",
        "n*(n+1)/2",
        "differential ",
        "= ",
    ];
    words.extend(signs.iter().map(|&sign| sign.to_owned()));
    let seldom: Vec<String> = words
        .into_iter()
        .map(|word| (texts.iter().filter(|text| text.contains(&word)).count(), word))
        .filter(|(count, _)| *count < 4)
        .map(|(count, word)| format!("`{word}` in {count}"))
        .collect();
    assert!(seldom.is_empty(), "of {} programs {}", texts.len(), seldom.join(", "));
}

#[test]
fn what_was_wrong_once_is_right() {
    for (what, source) in FOUND {
        let verdict = judge_text(source, 3, true);
        assert!(matches!(verdict, Verdict::Good(_)), "{what}\n{source}\n{verdict:?}");
    }
}

#[test]
fn identities_of_the_constructors_hold_where_they_are_used() {
    let mut wrong = Vec::new();
    for (declared, expression, wrt) in IDENTITIES {
        let source = format!("{}\ngrad sum(sin({expression})) wrt {wrt}", declared.replace("; ", "\n"));
        match judge_at(&source, 5, POINTS_OF_AN_IDENTITY) {
            Verdict::Good(_) => {}
            verdict => wrong.push(format!("{source}\n{verdict:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Prints the program of a seed with its verdict: `RANDOM_SEED_SHOWN=17 cargo test --test random one_program`.
#[test]
fn one_program_is_judged_alike_twice() {
    let seed = asked("RANDOM_SEED_SHOWN", 17);
    let made = program(seed);
    let (first, second) = (judge(&made, seed, true), judge(&program(seed), seed, true));
    println!("{}{first:?}", made.text(Brackets::Needed));
    assert_eq!(first, second);
}
