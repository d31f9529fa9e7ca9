//! How far a training is: a bar on a terminal, a few lines elsewhere, all on standard error.

use std::fmt::Write;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use matgrad::train::Progress;

use crate::output;

/// Without a terminal there are about this many lines.
const LINES: usize = 5;

/// What shows the progress.
pub struct Shown {
    quiet: bool,
    terminal: bool,
    bar: Option<ProgressBar>,
}

impl Shown {
    /// Nothing where quiet.
    pub fn new(quiet: bool) -> Shown {
        Shown { quiet, terminal: io::stderr().is_terminal(), bar: None }
    }

    /// After a step.
    pub fn tell(&mut self, progress: &Progress) {
        if self.quiet {
            return;
        }
        if self.terminal {
            let bar = self.bar.get_or_insert_with(|| new_bar(progress));
            bar.set_message(text(progress));
            bar.set_position(progress.samples as u64);
            return;
        }
        let last = progress.epoch == progress.epochs;
        let due = progress.epoch == 1 || last || progress.epoch.is_multiple_of(progress.epochs.div_ceil(LINES));
        if due && progress.batch == progress.batches {
            output::message(&format!("{}\n", text(progress)));
        }
    }

    /// The bar goes away; what it led to is told by others.
    pub fn end(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `epoch 2 of 30: loss 0.1234, accuracy 96.2 %, validation 95.1 %`
fn text(progress: &Progress) -> String {
    let mut out = format!("epoch {} of {}: loss {:.4}", progress.epoch, progress.epochs, progress.loss);
    if let Some(accuracy) = progress.accuracy {
        let _ = write!(out, ", accuracy {:.1} %", 100.0 * accuracy);
    }
    let last = progress.last.as_ref();
    match last.map(|last| (last.validation_accuracy, last.validation_loss)) {
        Some((Some(accuracy), _)) => {
            let _ = write!(out, ", validation {:.1} %", 100.0 * accuracy);
        }
        Some((None, Some(loss))) => {
            let _ = write!(out, ", validation loss {loss:.4}");
        }
        _ => {}
    }
    out
}

/// A bar that begins where the training does: what was done before does not count for the speed.
fn new_bar(progress: &Progress) -> ProgressBar {
    let style = ProgressStyle::with_template("[{bar:20}] {rate}, {eta} left, {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // A line that cannot be formatted is not shown; there is nobody to tell.
            let _ = write!(out, "{:.0} samples/s", state.per_sec());
        });
    let bar =
        ProgressBar::with_draw_target(Some(progress.total as u64), ProgressDrawTarget::stderr()).with_style(style);
    bar.set_position(progress.samples as u64);
    bar.reset_eta();
    bar
}
