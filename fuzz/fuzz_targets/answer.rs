//! Any bytes as a program, all the way: read, answered with every step, shown in every format; or refused with messages
//! that can be shown. It never crashes, never takes seconds, never takes gigabytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::diagnostic::render as messages;
use matgrad::render::{Format, render};

const FORMATS: [Format; 6] =
    [Format::Text, Format::Unicode, Format::Latex, Format::Markdown, Format::Html, Format::Json];

fuzz_target!(|bytes: &[u8]| {
    let source = String::from_utf8_lossy(bytes);
    match answer(&source, Detail::Full) {
        Ok(answer) => {
            for format in FORMATS {
                assert!(!render(format, &answer, &source, &[]).is_empty());
            }
        }
        Err(errors) => assert!(!messages(&errors, &source, "input.mg").is_empty()),
    }
});
