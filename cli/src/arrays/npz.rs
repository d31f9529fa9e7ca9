//! NumPy's `.npz`: a zip archive of `.npy` arrays, stored or deflated.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{Array, Stored, npy};

/// All arrays of an archive.
///
/// # Errors
/// A message that names the entry.
pub fn read(bytes: &[u8]) -> Result<Vec<Stored>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("it is no .npz archive: {error}"))?;
    let mut out = Vec::with_capacity(archive.len().min(1024));
    for i in 0..archive.len() {
        let file = archive.by_index(i).map_err(|error| format!("entry number {} is broken: {error}", i + 1))?;
        if file.is_dir() {
            continue;
        }
        let name =
            file.name().map_err(|error| format!("the name of entry number {} is broken: {error}", i + 1))?.into_owned();
        let Some(key) = name.strip_suffix(".npy") else {
            return Err(format!("entry `{}` is no .npy array", name.escape_debug()));
        };
        let key = key.to_owned();
        let read = npy::read(file).map_err(|message| format!("entry `{}`: {message}", key.escape_debug()));
        let (array, rounding) = read?;
        out.push(Stored { name: key, array, rounding });
    }
    Ok(out)
}

/// The archive of some arrays, stored.
///
/// # Errors
/// A message where the archive cannot be made.
pub fn write(arrays: &[(String, Array)]) -> Result<Vec<u8>, String> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let bytes = npy::write(array);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(bytes.len() as u64 > u64::from(u32::MAX) / 2);
        archive
            .start_file(format!("{name}.npy"), options)
            .map_err(|error| error.to_string())
            .and_then(|()| archive.write_all(&bytes).map_err(|error| error.to_string()))
            .map_err(|error| format!("entry `{name}` cannot be written: {error}"))?;
    }
    let out = archive.finish().map_err(|error| format!("the archive cannot be written: {error}"))?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::{Array, write};

    fn read(bytes: &[u8]) -> Result<Vec<(String, Array)>, String> {
        Ok(super::read(bytes)?.into_iter().map(|stored| (stored.name, stored.array)).collect())
    }

    fn arrays() -> Vec<(String, Array)> {
        vec![
            ("grad(L,W1)".to_owned(), Array { shape: vec![2, 3], entries: vec![0.5; 6] }),
            ("L".to_owned(), Array { shape: vec![], entries: vec![-1.25] }),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = write(&arrays()).unwrap();
        assert_eq!(read(&bytes).unwrap(), arrays());
        assert_eq!(read(&write(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn a_broken_archive_is_an_error_and_no_crash() {
        let whole = write(&arrays()).unwrap();
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        let mut silent = 0;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            silent += usize::from(read(&bytes).is_ok_and(|read| read != arrays()));
        }
        // The names and attributes of an archive carry no checksum; the numbers do.
        assert!(silent < 40, "{silent}");
    }
}
