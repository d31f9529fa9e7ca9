//! How far a training is: a bar on a terminal, a few lines elsewhere, all on standard error.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
            bar.set_message(beside(bar, progress));
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

/// What stands beside the bar. What matters most stands first: a narrow terminal cuts the end.
fn beside(bar: &ProgressBar, progress: &Progress) -> String {
    let mut out = format!("epoch {}/{}: loss {:.4}", progress.epoch, progress.epochs, progress.loss);
    if let Some(accuracy) = progress.accuracy {
        let _ = write!(out, ", accuracy {:.1} %", 100.0 * accuracy);
    }
    // The first moments tell nothing of the speed.
    if bar.elapsed() > Duration::from_millis(300) {
        let _ = write!(out, ", {} left, {:.0} samples/s", short(bar.eta()), bar.per_sec());
    }
    if let Some(accuracy) = progress.last.as_ref().and_then(|last| last.validation_accuracy) {
        let _ = write!(out, ", validation {:.1} %", 100.0 * accuracy);
    }
    out
}

/// A time in its unit, `21 s`.
fn short(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min", seconds / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

/// A bar that begins where the training does: what was done before does not count for the speed.
fn new_bar(progress: &Progress) -> ProgressBar {
    let style = ProgressStyle::with_template("[{bar:8}] {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bar =
        ProgressBar::with_draw_target(Some(progress.total as u64), ProgressDrawTarget::stderr()).with_style(style);
    bar.set_position(progress.samples as u64);
    bar.reset_eta();
    bar
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::short;

    #[test]
    fn times_are_short() {
        assert_eq!(
            [0, 99, 100, 5999, 9000].map(|s| short(Duration::from_secs(s))),
            ["0 s", "99 s", "1 min", "99 min", "2.5 h"]
        );
    }
}
