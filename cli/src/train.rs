//! `matgrad train` and `matgrad predict`.

use clap::ArgMatches;

use crate::failure::Failure;

/// Trains the network, or predicts with a trained one.
pub fn run(command: &str, _matches: &ArgMatches) -> Result<(), Failure> {
    Err(Failure::not_there_yet(command))
}
