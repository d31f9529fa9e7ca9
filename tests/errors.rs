//! Errors as the user sees them, in `tests/errors/`: programs that are wrong and what is said about them. `UPDATE=1 cargo
//! test --test errors` writes the messages anew.

mod chapters;

use chapters::{compare, pages};
use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::diagnostic::render;

#[test]
fn errors_are_as_written() {
    let count = compare(&pages("errors"), |section| match answer(&section.program, Detail::None) {
        Ok(_) => panic!("{}: no error", section.title),
        Err(errors) => {
            assert!(section.known.is_empty(), "{}: an error has no formula", section.title);
            let message = render(&errors, &section.program, "file.mg");
            let mut out = String::with_capacity(message.len());
            for line in message.lines() {
                out.push_str(line.trim_end());
                out.push('\n');
            }
            out
        }
    });
    assert!(count >= 50, "only {count} wrong programs were read");
}
