//! When a training writes down where it stands, and who stops it: times, steps and Ctrl-C come in, files go out, each whole
//! or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::ArgMatches;
use matgrad::train::State;

use super::model::{self, Saved};
use crate::failure::Failure;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Every {
    Steps(usize),
    Time(Duration),
}

/// Where and when checkpoints are written.
#[derive(Debug)]
pub struct Checkpoints {
    path: Option<PathBuf>,
    every: Every,
    steps: usize,
    last: Instant,
}

impl Checkpoints {
    /// As the arguments ask; a training that goes on from a checkpoint writes there again.
    pub fn new(matches: &ArgMatches) -> Result<Checkpoints, Failure> {
        let file = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let path = file("checkpoint").or_else(|| file("resume"));
        let text = matches.get_one::<String>("checkpoint-every").map(String::as_str);
        let every = every(text.unwrap_or("20s"))?;
        if text.is_some() && path.is_none() {
            return Err(Failure::wrong("--checkpoint-every needs --checkpoint, the file that is written"));
        }
        Ok(Checkpoints { path, every, steps: 0, last: Instant::now() })
    }

    /// After a step: whether it is time to write.
    pub fn is_due(&mut self) -> bool {
        self.steps += 1;
        self.path.is_some()
            && match self.every {
                Every::Steps(steps) => self.steps >= steps,
                Every::Time(time) => self.last.elapsed() >= time,
            }
    }

    /// Writes, where there is a file to write.
    pub fn write(&mut self, saved: &Saved, state: &State) -> Result<(), Failure> {
        if let Some(path) = &self.path {
            model::save_checkpoint(path, saved, state)?;
        }
        self.steps = 0;
        self.last = Instant::now();
        Ok(())
    }

    /// What to say to somebody who stopped the training.
    pub fn how_to_go_on(&self, save: Option<&Path>) -> String {
        let saved = match save {
            Some(path) => format!("; the model so far is in `{}`", path.display()),
            None => String::new(),
        };
        let on = match &self.path {
            Some(path) => format!("; go on with `matgrad train --resume {}`", path.display()),
            None => String::new(),
        };
        format!("stopped before the end{saved}{on}\n")
    }
}

/// A number of steps, or seconds as `20s`.
fn every(text: &str) -> Result<Every, Failure> {
    let wrong =
        || Failure::wrong(format!("`--checkpoint-every {text}` is neither a number of steps nor a time as 20s"));
    match text.strip_suffix('s') {
        Some(seconds) => {
            let seconds: f64 = seconds.parse().map_err(|_| wrong())?;
            Duration::try_from_secs_f64(seconds).map(Every::Time).map_err(|_| wrong())
        }
        None => text.parse().ok().filter(|&steps| steps > 0).map(Every::Steps).ok_or_else(wrong),
    }
}

/// Becomes true when the user presses Ctrl-C, or the system asks to end; a second time ends at once.
pub fn stop_asked() -> io::Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked))?;
        signal_hook::flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Every, every};

    #[test]
    fn steps_and_times_are_told_apart() {
        assert_eq!(every("250").unwrap(), Every::Steps(250));
        assert_eq!(every("0.5s").unwrap(), Every::Time(Duration::from_millis(500)));
        for wrong in ["", "s", "0", "-1", "-1s", "1m", "NaNs"] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }
}
