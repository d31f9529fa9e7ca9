//! `matgrad train` as a user runs it: what it shows, what it saves, how it is stopped, killed and taken up again.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use safetensors::SafeTensors;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_matgrad"));
    command.args(arguments);
    command
}

fn matgrad(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Standard output of a run that must succeed.
fn shown(arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a run that must fail with this exit code.
fn error(code: i32, arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

/// The test accuracy in per cent.
fn test_accuracy(text: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with("test ")).unwrap();
    line.split_whitespace().nth(2).unwrap().parse().unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("train-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A training that takes a second without optimisation.
const SHORT: [&str; 7] = ["train", "--hidden", "10", "--epochs", "2", "--learning-rate", "0.1"];

#[test]
fn the_default_network_recognises_digits_of_unknown_writers() {
    // Without optimisation the full training takes long; a shorter one stands for it.
    let (options, least): (&[&str], f64) = if cfg!(debug_assertions) { (&SHORT[1..], 88.0) } else { (&[], 96.3) };
    let seeds = if cfg!(debug_assertions) { 1 } else { 5 };
    let accuracies = (0..seeds).map(|seed: u64| {
        test_accuracy(&shown(&[&["train", "--quiet", "--seed", &seed.to_string()], options].concat()))
    });
    let mean = accuracies.sum::<f64>() / seeds as f64;
    assert!(mean >= least, "{mean}");
}

#[test]
fn the_same_training_gives_the_same_file_and_python_finds_the_weights_by_name() {
    let folder = scratch("same");
    let (first, second) = (folder.join("first.safetensors"), folder.join("second.safetensors"));
    let save = |path: &PathBuf| shown(&[&SHORT[..], &["--save", text(path)]].concat());
    let told = save(&first);
    assert_eq!(told, save(&second), "the same seed gives the same output");
    let bytes = std::fs::read(&first).unwrap();
    assert_eq!(bytes, std::fs::read(&second).unwrap());
    assert!(told.contains("G_Z2") && told.contains("CC BY 4.0"), "{told}");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    assert_eq!([shape("W1"), shape("b1"), shape("W2"), shape("b2")], [vec![64, 10], vec![10], vec![10, 10], vec![10]]);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = metadata.metadata().clone().unwrap();
    assert!(metadata["program"].contains("H1 = relu(Z1)"));
    assert_eq!(metadata["dimensions"], "{\"C\":10,\"D\":64,\"H\":10}");
    assert_eq!(metadata["labels"], "[\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]");
    assert_eq!(metadata["command"], "matgrad train --hidden 10 --epochs 2 --learning-rate 0.1".to_owned());
    assert_eq!(
        (metadata["preprocessing"].as_str(), metadata["matgrad"].as_str()),
        ("common", env!("CARGO_PKG_VERSION"))
    );
    let evaluated = shown(&["evaluate", "--model", text(&first)]);
    let accuracy = format!("accuracy {:.2} %\n", test_accuracy(&told));
    assert!(evaluated.contains(&accuracy), "{evaluated}");
}

#[test]
fn progress_is_told_in_few_lines_on_standard_error() {
    let output = matgrad(&SHORT);
    let lines = String::from_utf8(output.stderr).unwrap();
    assert!(lines.starts_with("epoch 1 of 2: loss ") && lines.contains("\nepoch 2 of 2: loss "), "{lines}");
    assert!(lines.lines().count() <= 6, "{lines}");
    let quiet = matgrad(&[&SHORT[..], &["--quiet"]].concat());
    assert!(quiet.stderr.is_empty());
    assert_eq!(String::from_utf8(quiet.stdout).unwrap().lines().count(), 3);
}

#[test]
fn options_change_what_they_say() {
    let run = |more: &[&str]| shown(&[&["train", "--quiet", "--hidden", "10", "--epochs", "2"], more].concat());
    let plain = run(&[]);
    for more in [
        &["--optimiser", "adam", "--weight-decay", "0.01"][..],
        &["--clip", "0.1"],
        &["--shift", "1", "--jitter", "0.1"],
        &["--scale", "standard"],
        &["--init", "glorot"],
        &["--activation", "tanh"],
        &["--lambda", "0.01"],
        &["--iterations", "30"],
        &["--decay", "0.5"],
        &["--batch-size", "100"],
    ] {
        let other = run(more);
        assert!(test_accuracy(&other) > 70.0, "{more:?}: {other}");
        assert_ne!(other, plain, "{more:?}");
    }
    // Rounding changes no line of the two that is certain.
    let single = run(&["--precision", "f32"]);
    assert!(test_accuracy(&single) > 70.0, "{single}");
    let whole = run(&["--validation", "0"]);
    assert!(whole.contains("of 3823 samples") && !whole.contains("validation"), "{whole}");
    let plot = run(&["--plot"]);
    assert!(plot.contains("loss (training drawn through, validation dotted)") && plot.contains("epoch 1"), "{plot}");
}

#[test]
fn wrong_options_are_told_with_what_would_be_right() {
    let expected = "error: the decay 0.0 is out of range\nhelp: decay: above 0 and at most 1; 1 keeps the rate\n\
                    error: the momentum -1.0 is out of range\nhelp: momentum: from 0 to below 1, such as 0.9\n";
    assert_eq!(error(2, &["train", "--decay", "0", "--momentum", "-1"]), expected);
    assert!(error(2, &["train", "--activation", "sine"]).contains("possible values: relu, leaky_relu"));
    assert!(error(2, &["train", "--epochs", "many"]).contains("invalid value 'many' for '--epochs <NUMBER>'"));
    let diverged = error(2, &["train", "--quiet", "--learning-rate", "1e9", "--hidden", "4"]);
    assert!(diverged.starts_with("error: the training diverged in epoch 1: "), "{diverged}");
    assert!(diverged.contains("\nhelp: take a smaller learning rate than 1000000000.0; "), "{diverged}");
    // Before the first step, not after the last.
    for option in ["--save", "--checkpoint", "--report"] {
        let told = error(3, &["train", option, "no/such/folder/x.safetensors"]);
        assert_eq!(told, "error: cannot write `no/such/folder/x.safetensors`: No such file or directory\n");
    }
    let ending = "error: `model.txt` does not end in .safetensors, as models do\n";
    assert_eq!(error(2, &["train", "--save", "model.txt"]), ending);
    assert!(error(3, &["train", "--data", "missing.npz"]).starts_with("error: cannot read `missing.npz`: "));
    assert!(error(3, &["predict", "--model", "missing.safetensors"]).starts_with("error: cannot read `missing.safete"));
    assert_eq!(error(2, &["train", "--beta1", "0.5"]), "error: --beta1 is for --optimiser adam\n");
    assert_eq!(error(2, &["train", "--set", "H"]), "error: `--set H` is no NAME=NUMBER, such as lambda=0.1\n");
    assert!(
        error(2, &["train", "--set", "K=2"]).starts_with("error: the program has neither a scalar nor a dimension `K`")
    );
    assert_eq!(
        error(2, &["train", "--patience", "2", "--validation", "0"]),
        "error: without validation samples nobody can tell when to stop\nhelp: leave the patience out, or keep a part of \
         the samples out to validate\n"
    );
    assert!(
        error(2, &["train", "--checkpoint-every", "5"]).starts_with("error: --checkpoint-every needs --checkpoint")
    );
    assert!(error(2, &["train", "--image", "8", "--shift", "1"]).starts_with("error: `--image 8` is no size"));
}

#[test]
fn a_program_of_the_user_is_trained() {
    let folder = scratch("program");
    let (program, data, saved) = (folder.join("ridge.mg"), folder.join("houses.csv"), folder.join("m.safetensors"));
    std::fs::write(
        &program,
        "X : matrix(m, n)\ny : vector(m)\nw : vector(n)\nb : scalar\nlambda : scalar\n\
         z = X*w + b\nL = 1/m*normsq(z - y) + lambda*normsq(w)\ngrad L wrt w, b\n",
    )
    .unwrap();
    // y = 3 + 2 rooms - 0.5 age
    let rows = (0..60).map(|i| {
        let (rooms, age) = (f64::from(i % 7), f64::from((i * 5) % 11));
        format!("{rooms},{},{age}\n", 3.0 + 2.0 * rooms - 0.5 * age)
    });
    std::fs::write(&data, format!("rooms,price,age\n{}", rows.collect::<String>())).unwrap();
    let run = |more: &[&str]| {
        let base = ["train", "--model", text(&program), "--data", text(&data), "--label", "price"];
        matgrad(&[&base, more].concat())
    };
    let options =
        ["--set", "lambda=0", "--learning-rate", "0.02", "--decay", "1", "--epochs", "300", "--batch-size", "10"];
    let output = run(&[&options[..], &["--save", text(&saved)]].concat());
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("R² 1.0000") && told.contains("3 parameters"), "{told}");
    let bytes = std::fs::read(&saved).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| -> Vec<f64> {
        tensors.tensor(name).unwrap().data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
    };
    let (w, b) = (numbers("w"), numbers("b"));
    assert!((w[0] - 2.0).abs() < 1e-3 && (w[1] + 0.5).abs() < 1e-3 && (b[0] - 3.0).abs() < 1e-2, "{w:?} {b:?}");
    let new = folder.join("new.csv");
    std::fs::write(&new, "age,rooms\n2,4\n10,0\n").unwrap();
    let predicted = shown(&["predict", "--model", text(&saved), "--data", text(&new)]);
    let numbers: Vec<f64> = predicted.lines().map(|line| line.parse().unwrap()).collect();
    assert!((numbers[0] - 10.0).abs() < 0.01 && (numbers[1] + 2.0).abs() < 0.02, "{predicted}");
    let evaluated = shown(&["evaluate", "--model", text(&saved), "--data", text(&data)]);
    assert!(evaluated.contains("R² 0.99999") || evaluated.contains("R² 1.0000"), "{evaluated}");
    // Of targets that are all equal there is no variance to explain.
    let equal = folder.join("equal.csv");
    std::fs::write(&equal, "rooms,price,age\n1,5,1\n2,5,3\n").unwrap();
    let evaluated = shown(&["evaluate", "--model", text(&saved), "--data", text(&equal)]);
    assert!(evaluated.contains("root mean square error ") && !evaluated.contains("R²"), "{evaluated}");
    let message = |more: &[&str]| String::from_utf8(run(more).stderr).unwrap();
    assert_eq!(message(&[]), "error: the scalar `lambda` has no number\nhelp: set lambda=…\n");
    assert!(message(&["--hidden", "3"]).starts_with("error: --hidden is for the two-layer network"));
    std::fs::write(&program, "X : matrix(m, n)\nw : vector(n)\nL = normsq(X*w\ngrad L wrt w\n").unwrap();
    assert!(message(&[]).contains("ridge.mg:3:"), "{}", message(&[]));
    let alone = error(2, &["train", "--model", text(&program)]);
    assert!(alone.contains("ridge.mg:3:"), "{alone}");
}

#[test]
fn a_report_is_one_page_with_everything_in_it() {
    let folder = scratch("report");
    let page = folder.join("report.html");
    shown(&[&SHORT[..], &["--quiet", "--report", text(&page)]].concat());
    let html = std::fs::read_to_string(&page).unwrap();
    for part in [
        "The two-layer network, trained on Optical Recognition",
        "<svg class=\"curves\"",
        "<table class=\"confusion\">",
        "<h2>Mistakes</h2>",
        "<h2>First weights</h2>",
        "<span>matgrad</span> <span>train</span> <span>--hidden</span> <span>10</span> <span>--epochs</span>",
        "<h2>Derivation</h2>",
        "4 gradients at 3 random points",
        "prefers-color-scheme: dark",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // Nothing is asked of anyone, and nothing runs.
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"));
    assert_eq!(html.matches("<div").count(), html.matches("</div>").count());
    assert_eq!(html.matches("<table").count(), html.matches("</table>").count());
}

#[test]
fn a_model_in_32_bit_floats_is_half_as_large_and_says_the_same_wherever_it_is_used() {
    let folder = scratch("precision");
    let path = |name: &str| folder.join(name);
    let (single, double, run) = (path("f32.safetensors"), path("f64.safetensors"), path("run.safetensors"));
    let options = ["train", "--quiet", "--hidden", "40", "--epochs", "2"];
    let told = shown(&[&options[..], &["--precision", "f32", "--save", text(&single)]].concat());
    shown(&[&options[..], &["--save", text(&double)]].concat());
    let (bytes, twice) = (std::fs::read(&single).unwrap(), std::fs::read(&double).unwrap());
    let parameters = 64 * 40 + 40 + 40 * 10 + 10;
    let saved = twice.len() - bytes.len();
    assert!(saved.abs_diff(4 * parameters) < 100, "{saved}");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert!(
        ["W1", "b1", "W2", "b2"].iter().all(|name| tensors.tensor(name).unwrap().dtype() == safetensors::Dtype::F32)
    );
    let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
    assert_eq!(metadata["precision"], "f32");
    // Every number that is predicted is a 32-bit float, in 64-bit floats none is by chance.
    let scores = |model: &Path| {
        let told = shown(&["predict", "--model", text(model), "--scores"]);
        let numbers = told.lines().skip(1).flat_map(|line| line.split(',').skip(1));
        numbers.map(|number| number.parse::<f64>().unwrap()).collect::<Vec<_>>()
    };
    let rounded = |x: &f64| f64::from(*x as f32) == *x;
    let (short, long) = (scores(&single), scores(&double));
    assert!(short.len() == 17970 && short.iter().all(rounded));
    assert!(long.iter().filter(|x| rounded(x)).count() < 10);
    // What the training said of the test digits is what its file says.
    let evaluated = shown(&["evaluate", "--model", text(&single)]);
    assert!(evaluated.contains(&format!("accuracy {:.2} %\n", test_accuracy(&told))), "{evaluated}");
    // A checkpoint knows the precision too, and goes on to the same bytes.
    let stopped = [&options[..], &["--precision", "f32", "--iterations", "70", "--checkpoint", text(&run)]].concat();
    shown(&stopped);
    let resumed = error(2, &["train", "--resume", text(&run), "--precision", "f64"]);
    assert_eq!(resumed, "error: --precision is told by the checkpoint; with --resume leave it out\n");
    for precision in ["float16", "float32", "64", ""] {
        let told = error(2, &["train", "--precision", precision]);
        assert!(told.contains("[possible values: bf16, f32, f64]"), "{told}");
    }
}

#[test]
fn products_of_bf16_tell_what_they_cost_or_that_there_are_none() {
    let options = ["train", "--hidden", "40", "--epochs", "2", "--precision", "bf16"];
    if matgrad::run::cpu::InstructionSet::detect().has_bf16() {
        let told = shown(&options);
        assert!(told.contains("\nbf16, on 64 samples, beside 64-bit numbers: loss off by "), "{told}");
        assert!(test_accuracy(&told) > 85.0, "{told}");
    } else {
        let told = error(2, &options);
        assert!(told.starts_with("error: this processor has no products of bf16 (AVX512-BF16)"), "{told}");
    }
}

#[test]
fn data_that_are_too_large_are_the_cause_and_not_the_rate() {
    let folder = scratch("large");
    let (data, program) = (folder.join("large.csv"), folder.join("line.mg"));
    let rows =
        |size: f64| (0..40).map(|i| format!("{},{},{}\n", size * f64::from(i % 5), size, i % 2)).collect::<String>();
    fs_write(&data, &format!("a,b,label\n{}", rows(1e39)));
    let base = ["train", "--quiet", "--data", text(&data), "--hidden", "4", "--epochs", "3"];
    let run = |more: &[&str]| error(2, &[&base[..], more].concat());
    let told = run(&["--scale", "none", "--precision", "f32"]);
    assert_eq!(
        told,
        "error: the features are as large as 4e39, which is too large for a 32-bit number\nhelp: scale them (common, \
         standard or range), or compute in 64-bit numbers (f64)\n"
    );
    // What is scaled can be of any size.
    shown(&[&base[..], &["--precision", "f32"]].concat());
    fs_write(&data, &format!("a,b,label\n{}", rows(5000.0)));
    let told = run(&["--scale", "none", "--learning-rate", "0.5"]);
    assert!(told.starts_with("error: the training diverged in epoch "), "{told}");
    assert!(
        told.ends_with(
            "help: the features are as large as 20000: scale them (common, standard or range), or take a much smaller \
             learning rate than 0.5\n"
        ),
        "{told}"
    );
    fs_write(&program, "X : matrix(m, n)\ny : vector(m)\nw : vector(n)\nL = 1/m*normsq(X*w - y)\ngrad L wrt w\n");
    let houses: String =
        (0..40).map(|i| format!("{},{}\n", f64::from(i % 5) - 2.0, 1e300 * f64::from(i % 2))).collect();
    fs_write(&data, &format!("a,price\n{houses}"));
    let told = error(2, &["train", "--model", text(&program), "--data", text(&data), "--label", "price", "--quiet"]);
    assert!(
        told.contains("\nhelp: the targets are as large as 1e300: divide them by a number of their size, or "),
        "{told}"
    );
}

fn fs_write(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap();
}

#[test]
fn a_training_in_32_bit_floats_goes_on_as_if_it_had_never_stopped() {
    let folder = scratch("precision-resumed");
    let path = |name: &str| folder.join(name);
    let (whole, parted, run) = (path("whole.safetensors"), path("parted.safetensors"), path("run.safetensors"));
    let options = ["train", "--quiet", "--hidden", "9", "--precision", "f32", "--optimiser", "adam", "--epochs"];
    shown(&[&options[..], &["3", "--save", text(&whole)]].concat());
    shown(&[&options[..], &["1", "--checkpoint", text(&run)]].concat());
    shown(&["train", "--quiet", "--resume", text(&run), "--epochs", "3", "--save", text(&parted)]);
    let (whole, parted) = (std::fs::read(&whole).unwrap(), std::fs::read(&parted).unwrap());
    let tensors = [&whole, &parted].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    for name in ["W1", "b1", "W2", "b2"] {
        assert_eq!(tensors[0].tensor(name).unwrap().data(), tensors[1].tensor(name).unwrap().data(), "{name}");
    }
}

/// The training of the test below: 114 steps, a checkpoint after each fifth.
fn checkpointed<'a>(checkpoint: &'a str, save: &'a str) -> Vec<&'a str> {
    let mut arguments =
        vec!["train", "--quiet", "--hidden", "5", "--epochs", "3", "--batch-size", "92", "--shift", "1"];
    arguments.extend(["--threads", "1", "--optimiser", "adam", "--checkpoint", checkpoint, "--checkpoint-every", "5"]);
    arguments.extend(["--save", save]);
    arguments
}

#[test]
fn a_training_that_is_killed_again_and_again_ends_as_if_it_never_was() {
    let folder = scratch("killed");
    let (whole, whole_run) = (folder.join("whole.safetensors"), folder.join("whole-run.safetensors"));
    // The shortest of some runs: one that waits for a busy disk says nothing on the next.
    let mut time = Duration::from_secs(2);
    let mut told = String::new();
    for _ in 0..3 {
        let start = Instant::now();
        told = shown(&checkpointed(text(&whole_run), text(&whole)));
        time = time.min(start.elapsed());
    }
    let (killed, run) = (folder.join("killed.safetensors"), folder.join("run.safetensors"));
    let mut kills = 0;
    // Small numbers that look random: when to kill, in parts of the time of a whole run.
    let mut state = 12345_u64;
    let mut ended = None;
    let mut attempts = 0;
    while kills < 50 {
        attempts += 1;
        assert!(attempts < 400, "the training does not live long enough to be killed");
        let arguments = match run.exists() {
            false => checkpointed(text(&run), text(&killed)),
            true => {
                vec!["train", "--quiet", "--resume", text(&run), "--checkpoint-every", "5", "--save", text(&killed)]
            }
        };
        let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        std::thread::sleep(time.mul_f64((state >> 33) as f64 / (1_u64 << 31) as f64));
        if let Some(status) = child.try_wait().unwrap() {
            let output = child.wait_with_output().unwrap();
            assert!(status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            ended = Some(String::from_utf8(output.stdout).unwrap());
            // It was faster than the kills: once more from the start.
            if kills < 50 {
                assert_eq!(std::fs::read(&killed).unwrap(), std::fs::read(&whole).unwrap());
                std::fs::remove_file(&run).unwrap();
            }
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        // What stands at the place of the file is always whole.
        if run.exists() {
            SafeTensors::deserialize(&std::fs::read(&run).unwrap()).unwrap();
        }
    }
    if run.exists() {
        let arguments = ["train", "--quiet", "--resume", text(&run), "--save", text(&killed)];
        ended = Some(shown(&arguments));
    } else if ended.is_none() {
        ended = Some(shown(&checkpointed(text(&run), text(&killed))));
    }
    assert_eq!(ended.as_deref(), Some(told.as_str()));
    assert_eq!(std::fs::read(&killed).unwrap(), std::fs::read(&whole).unwrap(), "bit for bit");
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.len() >= 4, "{left:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_after_the_step_and_saves() {
    let folder = scratch("stopped");
    let (run, model) = (folder.join("run.safetensors"), folder.join("model.safetensors"));
    let mut arguments = vec!["train", "--hidden", "40", "--epochs", "100000", "--save", text(&model)];
    arguments.extend(["--checkpoint", text(&run), "--checkpoint-every", "20"]);
    let child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !run.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let on = format!("go on with `matgrad train --resume {}`\n", run.display());
    assert!(told.contains("stopped before the end; the model so far is in `") && told.ends_with(&on), "{told}");
    assert!(shown(&["evaluate", "--model", text(&model)]).contains("accuracy "));
    assert!(shown(&["evaluate", "--model", text(&run)]).contains("accuracy "));
}

#[test]
fn what_cannot_be_gone_on_from_is_told() {
    let folder = scratch("resume");
    let (run, model) = (folder.join("run.safetensors"), folder.join("model.safetensors"));
    let save = ["--iterations", "5", "--checkpoint", text(&run), "--save", text(&model)];
    shown(&[&SHORT[..], &save].concat());
    let resume = |path: &Path, more: &[&str]| error(2, &[&["train", "--quiet", "--resume", text(path)], more].concat());
    let told = resume(&model, &[]);
    assert!(told.ends_with("it is a model and no checkpoint: a training cannot go on from it\n"), "{told}");
    let told = resume(&run, &["--hidden", "3"]);
    assert_eq!(told, "error: --hidden is told by the checkpoint; with --resume leave it out\n");
    let data = folder.join("other.csv");
    let rows: String = (0..30).map(|i| format!("{}{}\n", "1,".repeat(64), i % 10)).collect();
    std::fs::write(&data, rows).unwrap();
    let told = resume(&run, &["--data", text(&data)]);
    assert!(told.starts_with("error: the samples of ") && told.contains("are not those that"), "{told}");
    let bytes = std::fs::read(&run).unwrap();
    for (end, message) in [(5, "it is no .safetensors file"), (bytes.len() - 9, "it is no .safetensors file")] {
        let broken = folder.join("broken.safetensors");
        std::fs::write(&broken, &bytes[..end]).unwrap();
        let told = resume(&broken, &[]);
        assert!(told.contains(message), "{told}");
    }
    let other = folder.join("other.safetensors");
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F64, vec![1], &[0; 8]).unwrap();
    std::fs::write(&other, safetensors::serialize([("W1", view)], None).unwrap()).unwrap();
    let told = resume(&other, &[]);
    assert!(told.contains("it is no model of matgrad: its metadata have no `"), "{told}");
}

#[test]
fn the_manual_and_the_completions_know_the_options() {
    let manual = shown(&["man", "train"]);
    assert!(
        manual.starts_with(".ie") && manual.contains("learning\\-rate") && manual.contains("matgrad\\-train"),
        "{manual}"
    );
    let folder = scratch("manual");
    shown(&["man", "--all", text(&folder)]);
    let pages: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    for name in ["matgrad.1", "matgrad-train.1", "matgrad-search.1", "matgrad-derive.1"] {
        assert!(pages.iter().any(|page| page == name), "{pages:?}");
    }
    assert_eq!(error(2, &["man", "nothing"]), "error: there is no command `nothing`\n");
    for shell in ["bash", "zsh", "fish"] {
        let script = shown(&["completions", shell]);
        assert!(script.contains("checkpoint-every") && !script.contains("worker"), "{shell}");
    }
}
