//! The `matgrad` command. All of it is a library, which the compiler makes beside the rest of matgrad instead of after it.

use std::process::ExitCode;

fn main() -> ExitCode {
    matgrad_cli::main()
}
