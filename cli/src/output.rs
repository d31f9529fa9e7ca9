//! Where results and messages go: standard output, standard error, or a file that is written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A message on standard error, in colour only where that is a terminal that wants it.
pub fn message(text: &str) {
    // Nobody is left to tell where standard error is closed.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// A result on standard output, or in a file where one is named. A reader that went away (`| head`) is no mistake.
pub fn result(text: &str, file: Option<&Path>) -> Result<(), Failure> {
    if let Some(path) = file.filter(|path| *path != Path::new("-")) {
        return write_whole(path, text.as_bytes());
    }
    written(io::stdout().lock(), text)
}

/// A result on standard output, in colour only where that is a terminal that wants it.
pub fn styled(text: &str) -> Result<(), Failure> {
    written(anstream::stdout(), text)
}

fn written(mut out: impl Write, text: &str) -> Result<(), Failure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::file("write", Path::new("standard output"), &error))
        }
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all: the bytes go to a file beside it that takes its place in the end.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    try_write(path, bytes).map_err(|error| Failure::file("write", path, &error))
}

/// Whether [`write_whole`] can write there, before the work that it is for: a file beside it is made and taken away again.
pub fn check_writable(path: &Path) -> Result<(), Failure> {
    let check = || {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&target) {
            Ok(known) if known.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Ok(known) if !known.is_file() => Ok(()),
            _ => create_beside(&target).and_then(|(beside, _)| fs::remove_file(beside)),
        }
    };
    check().map_err(|error| Failure::file("write", path, &error))
}

fn try_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays a link, and a device or a pipe cannot be replaced: it is written to.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let known = fs::metadata(&target).ok();
    match &known {
        Some(known) if known.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Some(known) if !known.is_file() => return OpenOptions::new().write(true).open(&target)?.write_all(bytes),
        _ => {}
    }
    let (beside, mut file) = create_beside(&target)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| known.map_or(Ok(()), |known| fs::set_permissions(&beside, known.permissions())))
        .and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A new file in the same folder, so that taking the other's place is one step of the file system.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_string_lossy();
    let mut attempt = 0;
    loop {
        let beside = target.with_file_name(format!(".{name}.{}-{attempt}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}
