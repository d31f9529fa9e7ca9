//! How far a training is: a bar on a terminal, a few lines elsewhere, all on standard error.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use matgrad::train::Progress;

use crate::output;

/// Without a terminal there are about this many lines.
const LINES: usize = 5;

/// What shows the progress.
pub struct Shown {
    quiet: bool,
    bar: Option<ProgressBar>,
}

impl Shown {
    /// Nothing where quiet.
    pub fn new(quiet: bool) -> Shown {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Shown { quiet, bar: (!quiet && !bar.is_hidden()).then_some(bar) }
    }

    /// After a batch.
    pub fn tell(&mut self, progress: &Progress) {
        let validation = match progress.validation {
            Some(accuracy) => format!(", validation {:.1} %", 100.0 * accuracy),
            None => String::new(),
        };
        let text = format!(
            "epoch {} of {}: loss {:.4}, accuracy {:.1} %{validation}",
            progress.epoch,
            progress.epochs,
            progress.loss,
            100.0 * progress.accuracy
        );
        if let Some(bar) = &self.bar {
            if bar.length().is_none() {
                bar.set_length(progress.total as u64);
                bar.set_style(style());
            }
            bar.set_position(progress.samples as u64);
            bar.set_message(text);
            return;
        }
        let last = progress.epoch == progress.epochs;
        let due = progress.epoch == 1 || last || progress.epoch % progress.epochs.div_ceil(LINES) == 0;
        if !self.quiet && due && progress.batch == progress.batches {
            output::message(&format!("{text}\n"));
        }
    }

    /// The bar goes away; what it led to is told by others.
    pub fn end(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("[{bar:25}] {msg}, {rate}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // A line that cannot be formatted is not shown; there is nobody to tell.
            let _ = write!(out, "{:.0} samples/s", state.per_sec());
        })
}
