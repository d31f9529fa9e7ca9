//! The `matgrad` command.

fn main() {
    eprintln!("error: no command yet");
    std::process::exit(2);
}
