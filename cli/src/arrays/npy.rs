//! One array in NumPy's `.npy` form, versions 1 to 3: a magic word, a Python dictionary in text, then the numbers
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::Read;

use super::element::{Element, Order};
use super::{Array, count};

const MAGIC: &[u8] = b"\x93NUMPY";
/// A header is a line of text; a longer one is no header.
const LONGEST_HEADER: usize = 1 << 20;

/// Reads one array, and the rounding of its type.
///
/// # Errors
/// A message that tells what is wrong.
pub fn read(mut from: impl Read) -> Result<(Array, f64), String> {
    let (header, start) = header(&mut from)?;
    let layout = Layout::parse(&header)?;
    let size = layout.element.size();
    let bytes = count(&layout.shape)
        .and_then(|entries| entries.checked_mul(size))
        .ok_or_else(|| format!("the shape {:?} is too large", layout.shape))?;
    let mut data = Vec::new();
    // Only what is there is allocated, whatever the header says.
    let room = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(1);
    from.take(room).read_to_end(&mut data).map_err(|error| format!("the numbers cannot be read: {error}"))?;
    if data.len() != bytes {
        let found = if data.len() > bytes { "more".to_owned() } else { data.len().to_string() };
        return Err(format!("the shape {:?} needs {bytes} bytes behind byte {start}, there are {found}", layout.shape));
    }
    let mut entries = layout.element.decode(layout.order, &data)?;
    if layout.columns_first {
        entries = rows_first(&layout.shape, &entries);
    }
    Ok((Array { shape: layout.shape, entries }, layout.element.rounding()))
}

/// The array in version 1, 64-bit floats in row-major order.
pub fn write(array: &Array) -> Vec<u8> {
    let axes: Vec<String> = array.shape.iter().map(usize::to_string).collect();
    let shape = if let [one] = axes.as_slice() { format!("({one},)") } else { format!("({})", axes.join(", ")) };
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    // The numbers begin at a multiple of 64 bytes.
    let before = MAGIC.len() + 4;
    let padding = (before + header.len() + 1).next_multiple_of(64) - (before + header.len() + 1);
    header.push_str(&" ".repeat(padding));
    header.push('\n');
    let mut out = Vec::with_capacity(before + header.len() + 8 * array.entries.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[1, 0]);
    // A shape of even hundreds of axes stays below 64 KiB.
    out.extend_from_slice(&u16::try_from(header.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    for entry in &array.entries {
        out.extend_from_slice(&entry.to_le_bytes());
    }
    out
}

/// The dictionary's text, and where the numbers begin.
fn header(from: &mut impl Read) -> Result<(String, usize), String> {
    let mut start = [0; 8];
    from.read_exact(&mut start).map_err(|_| "it ends within its first 8 bytes".to_owned())?;
    if &start[..6] != MAGIC {
        return Err("it is no .npy array: the first bytes are not \\x93NUMPY".to_owned());
    }
    let width = match start[6] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(format!("version {other} of the .npy form is not known (byte 6)")),
    };
    let mut length = [0; 4];
    from.read_exact(&mut length[..width]).map_err(|_| "it ends within its header's length, at byte 8".to_owned())?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HEADER {
        return Err(format!("a header of {length} bytes is too long (byte 8)"));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text).map_err(|_| format!("it ends within its header of {length} bytes"))?;
    let text = String::from_utf8(text).map_err(|_| "the header is not text".to_owned())?;
    Ok((text, 8 + width + length))
}

/// What a header says.
#[derive(Debug)]
pub struct Layout {
    /// The type of a number.
    pub element: Element,
    /// The order of its bytes.
    pub order: Order,
    /// Whether the first axis is the fastest.
    pub columns_first: bool,
    /// The length of each axis.
    pub shape: Vec<usize>,
}

/// The layout of an array, and at which byte its numbers begin.
///
/// # Errors
/// A message that tells what is wrong.
pub fn layout(mut from: impl Read) -> Result<(Layout, usize), String> {
    let (header, start) = header(&mut from)?;
    Ok((Layout::parse(&header)?, start))
}

impl Layout {
    fn parse(header: &str) -> Result<Layout, String> {
        let (mut kind, mut columns_first, mut shape) = (None, None, None);
        let mut text = Cursor { rest: header.trim() };
        text.expect('{')?;
        while !text.take('}') {
            let key = text.quoted()?;
            text.expect(':')?;
            match key {
                "descr" => kind = Some(element(text.description()?)?),
                "fortran_order" => columns_first = Some(text.truth()?),
                "shape" => shape = Some(text.tuple()?),
                other => return Err(format!("the header has an unknown key '{}'", other.escape_default())),
            }
            if !text.take(',') {
                text.expect('}')?;
                break;
            }
        }
        let missing = |key: &str| format!("the header has no '{key}'");
        let (element, order) = kind.ok_or_else(|| missing("descr"))?;
        Ok(Layout {
            element,
            order,
            columns_first: columns_first.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

fn element(description: &str) -> Result<(Element, Order), String> {
    let (order, kind) = match description.split_at_checked(1) {
        Some((">", kind)) => (Order::Big, kind),
        Some(("<" | "=" | "|", kind)) => (Order::Little, kind),
        _ => (Order::Little, description),
    };
    let element = match kind {
        "b1" | "?" => Element::Bool,
        "i1" => Element::I8,
        "u1" => Element::U8,
        "i2" => Element::I16,
        "u2" => Element::U16,
        "i4" => Element::I32,
        "u4" => Element::U32,
        "i8" => Element::I64,
        "u8" => Element::U64,
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        "c8" | "c16" => return Err(format!("complex numbers ('{description}') are not read")),
        "O" => return Err("Python objects are not read; convert it with `.astype(float)`".to_owned()),
        _ => return Err(format!("numbers of type '{}' are not read", description.escape_default())),
    };
    Ok((element, order))
}

/// What is left of a header.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, c: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.take(c) { Ok(()) } else { Err(self.error(&format!("`{c}`"))) }
    }

    fn error(&self, what: &str) -> String {
        let found: String = self.rest.chars().take(20).flat_map(char::escape_default).collect();
        format!("the header is broken: expected {what}, found `{found}`")
    }

    fn quoted(&mut self) -> Result<&'a str, String> {
        self.rest = self.rest.trim_start();
        for quote in ['\'', '"'] {
            if let Some((text, rest)) = self.rest.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
                self.rest = rest;
                return Ok(text);
            }
        }
        Err(self.error("a quoted word"))
    }

    fn description(&mut self) -> Result<&'a str, String> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('[') {
            return Err("records of several fields are not read".to_owned());
        }
        self.quoted()
    }

    fn truth(&mut self) -> Result<bool, String> {
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.error("True or False"))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, String> {
        let mut axes = Vec::new();
        self.expect('(')?;
        while !self.take(')') {
            let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            let (number, rest) = self.rest.split_at(digits);
            axes.push(number.parse().map_err(|_| self.error("the length of an axis"))?);
            // Python 2 wrote long integers with an L.
            self.rest = rest.strip_prefix('L').unwrap_or(rest);
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        if axes.len() > 32 {
            return Err(format!("{} axes are too many", axes.len()));
        }
        Ok(axes)
    }
}

/// From first axis fastest to last axis fastest.
fn rows_first(shape: &[usize], entries: &[f64]) -> Vec<f64> {
    if entries.is_empty() {
        return Vec::new();
    }
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &axis in shape {
        strides.push(stride);
        stride *= axis;
    }
    let mut out = Vec::with_capacity(entries.len());
    let mut index = vec![0; shape.len()];
    loop {
        out.push(entries[index.iter().zip(&strides).map(|(i, stride)| i * stride).sum::<usize>()]);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return out;
            }
            axis -= 1;
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Array;
    use super::{MAGIC, read, write};

    fn file(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&[version, 0]);
        let length = u32::try_from(header.len()).unwrap().to_le_bytes();
        out.extend_from_slice(&length[..if version == 1 { 2 } else { 4 }]);
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(data);
        out
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![3], vec![2, 3], vec![0, 4], vec![2, 1, 3, 2]] {
            let entries = (0..shape.iter().product()).map(|i: usize| i as f64 / 3.0).collect();
            let array = Array { shape, entries };
            let bytes = write(&array);
            assert_eq!(read(bytes.as_slice()).unwrap(), (array.clone(), f64::EPSILON));
            assert_eq!((bytes.len() - 8 * array.entries.len()) % 64, 0);
        }
    }

    #[test]
    fn every_version_and_order_is_read() {
        let data: Vec<u8> = (0..6_u8).flat_map(|i| f32::from(i).to_be_bytes()).collect();
        for version in 1..=3 {
            let header = "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }  \n";
            let (array, rounding) = read(file(version, header, &data).as_slice()).unwrap();
            assert_eq!(rounding, f64::from(f32::EPSILON));
            assert_eq!(array, Array { shape: vec![2, 3], entries: vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0] });
        }
        let header = "{\"shape\": (2L,), \"fortran_order\": False, \"descr\": \"|u1\"}";
        assert_eq!(read(file(1, header, &[7, 9]).as_slice()).unwrap().0.entries, [7.0, 9.0]);
    }

    #[test]
    fn a_broken_file_tells_what_is_wrong() {
        let good = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n";
        for (bytes, expected) in [
            (b"PK\x03\x04 and more".to_vec(), "no .npy array"),
            (file(9, good, &[]), "version 9"),
            (file(1, good, &[0; 15]), "needs 16 bytes behind byte 68, there are 15"),
            (file(1, good, &[0; 17]), "there are more"),
            (file(1, "{'descr': '<f8'}", &[]), "no 'fortran_order'"),
            (file(1, "{'descr': '|O', 'fortran_order': False, 'shape': ()}", &[]), "Python objects"),
            (file(1, "{'descr': '<c16', 'fortran_order': False, 'shape': ()}", &[]), "complex"),
            (file(1, "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': ()}", &[]), "several fields"),
            (file(1, "{'descr': '<f8', 'fortran_order': 0, 'shape': ()}", &[]), "True or False"),
            (file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", &[]), "length of an axis"),
            (file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 9999999999)}", &[]), "too large"),
            (file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,)}", &[]), "there are 0"),
        ] {
            let told = read(bytes.as_slice()).unwrap_err();
            assert!(told.contains(expected), "{told} / {expected}");
        }
    }

    #[test]
    fn every_beginning_of_a_file_is_an_error_and_no_crash() {
        let whole = write(&Array { shape: vec![2, 2], entries: vec![1.0; 4] });
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
    }
}
