//! The IDX form of MNIST and its likes (<http://yann.lecun.com/exdb/mnist/>): two zero bytes, the type of the numbers, the
//! number of axes, the length of each in four bytes, then the numbers, all with the greatest byte first.

use std::path::{Path, PathBuf};

use super::stored::{Bytes, Stored};
use super::{opened, shape_of_images};
use crate::arrays::{Element, Order};
use crate::failure::Failure;
use matgrad::train::ImageShape;

/// The header.
struct Header {
    element: Element,
    shape: Vec<usize>,
    start: usize,
}

/// Whether a file begins like one.
pub fn is_idx(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=8, ..])
}

/// Rows of features.
///
/// # Errors
/// Another magic number, a file that is cut short or too long.
pub fn rows(path: &Path) -> Result<(Stored, Option<ImageShape>), Failure> {
    let bytes = opened(path)?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    let header = header(&bytes).map_err(at)?;
    let [count, rest @ ..] = header.shape.as_slice() else { return Err(at("it has no axis".to_owned())) };
    let columns = rest.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis));
    let columns = columns.ok_or_else(|| at(format!("the shape {:?} is too large", header.shape)))?;
    let image = shape_of_images(rest);
    let stored = Stored::new(bytes, header.start, (header.element, Order::Big), (*count, columns)).map_err(at)?;
    Ok((stored, image))
}

/// Labels, one a sample.
///
/// # Errors
/// As [`rows`]; more than one axis, labels that are no integers.
pub fn labels(path: &Path) -> Result<Vec<i64>, Failure> {
    let bytes = opened(path)?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    let header = header(&bytes).map_err(at)?;
    let [count] = header.shape[..] else {
        return Err(at(format!("it has {} axes; labels have one", header.shape.len())));
    };
    let found = bytes.len() - header.start;
    let needed = count.checked_mul(header.element.size());
    if needed != Some(found) {
        return Err(at(format!("{count} labels are announced, and {found} bytes are behind byte {}", header.start)));
    }
    let numbers = header.element.decode(Order::Big, &bytes[header.start..]).map_err(at)?;
    super::whole_numbers(&numbers, "the labels").map_err(at)
}

fn header(bytes: &Bytes) -> Result<Header, String> {
    let [first, second, kind, axes, rest @ ..] = &bytes[..] else {
        return Err(format!("it is cut short within its first 4 bytes: it has {}", bytes.len()));
    };
    let element = match kind {
        0x08 => Element::U8,
        0x09 => Element::I8,
        0x0b => Element::I16,
        0x0c => Element::I32,
        0x0d => Element::F32,
        0x0e => Element::F64,
        _ => return Err(wrong_magic(&[*first, *second, *kind, *axes])),
    };
    if (*first, *second) != (0, 0) || *axes == 0 {
        return Err(wrong_magic(&[*first, *second, *kind, *axes]));
    }
    let axes = usize::from(*axes);
    let (lengths, _) = rest.as_chunks::<4>();
    if lengths.len() < axes {
        return Err(format!("it is cut short within its header of {} bytes: it has {}", 4 + 4 * axes, bytes.len()));
    }
    let shape = lengths[..axes].iter().map(|length| u32::from_be_bytes(*length) as usize).collect();
    Ok(Header { element, shape, start: 4 + 4 * axes })
}

fn wrong_magic(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("it is no IDX file: it begins with {}, not with 00 00, a type and a number of axes", bytes.join(" "))
}

/// The four files of MNIST and its likes in a folder.
pub struct Four {
    /// Training images and labels.
    pub training: (PathBuf, PathBuf),
    /// Test images and labels, if they are there.
    pub test: Option<(PathBuf, PathBuf)>,
}

/// Finds them by their names, plain or gzipped. `None` where there are none.
///
/// # Errors
/// Images without labels.
pub fn four(folder: &Path) -> Result<Option<Four>, Failure> {
    let find = |stem: &str, kind: &str, axes: u8| {
        let names = [format!("{stem}-{kind}-idx{axes}-ubyte"), format!("{stem}-{kind}.idx{axes}-ubyte")];
        let all = names.iter().flat_map(|name| [name.clone(), format!("{name}.gz")]);
        all.map(|name| folder.join(name)).find(|path| path.is_file())
    };
    let pair = |stem: &str| match (find(stem, "images", 3), find(stem, "labels", 1)) {
        (Some(images), Some(labels)) => Ok(Some((images, labels))),
        (None, None) => Ok(None),
        (images, labels) => {
            let missing = if images.is_some() { "labels" } else { "images" };
            let there = images.or(labels).map(|path| path.display().to_string()).unwrap_or_default();
            Err(Failure::wrong(format!("`{there}` is there, but the {missing} that belong to it are not")))
        }
    };
    Ok(match (pair("train")?, pair("t10k")?) {
        (Some(training), test) => Some(Four { training, test }),
        (None, Some(test)) => Some(Four { training: test, test: None }),
        (None, None) => None,
    })
}

/// The labels that belong to a file of images by its name, if they are there.
pub fn labels_beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    let labels = name.replace("images", "labels").replace("idx3", "idx1");
    let plain = labels.strip_suffix(".gz").unwrap_or(&labels);
    let paths = [plain.to_owned(), format!("{plain}.gz")].map(|name| images.with_file_name(name));
    paths.into_iter().find(|path| labels != name && path.is_file())
}
