//! Rows of numbers that stay as they stand in a file, in memory or mapped: only the rows of a batch are made into 64-bit
//! floats. What comes in is bytes with their layout; that they are as many as the layout says is checked here, once.

use std::fmt;
use std::fs::File;
use std::path::Path;

use matgrad::train::Rows;
use memmap2::Mmap;

use crate::arrays::{Element, Order};
use crate::failure::Failure;

/// Bytes of a file.
pub enum Bytes {
    /// In memory.
    Owned(Vec<u8>),
    /// Left to the system to read as they are needed.
    Mapped(Mmap),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Owned(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}

impl Bytes {
    /// A whole file, mapped.
    pub fn map(path: &Path) -> Result<Bytes, Failure> {
        let unread = |error: &std::io::Error| Failure::file("read", path, error);
        let file = File::open(path).map_err(|error| unread(&error))?;
        if file.metadata().map_err(|error| unread(&error))?.len() == 0 {
            return Ok(Bytes::Owned(Vec::new()));
        }
        // SAFETY: the map is only read. Another process that shortens the file while it is mapped would end this one with a
        // signal; that is the price of data larger than memory, and docs/train.md says so.
        let map = unsafe { Mmap::map(&file) }.map_err(|error| unread(&error))?;
        Ok(Bytes::Mapped(map))
    }
}

/// N rows of D numbers of one type, one after another.
pub struct Stored {
    bytes: Bytes,
    start: usize,
    element: Element,
    order: Order,
    count: usize,
    columns: usize,
}

impl Stored {
    /// Rows that begin at byte `start`.
    ///
    /// # Errors
    /// A message where there are fewer or more bytes, or integers that a 64-bit float cannot hold.
    pub fn new(
        bytes: Bytes,
        start: usize,
        (element, order): (Element, Order),
        (count, columns): (usize, usize),
    ) -> Result<Stored, String> {
        let needed = count.checked_mul(columns).and_then(|entries| entries.checked_mul(element.size()));
        let needed = needed.ok_or_else(|| format!("{count} rows of {columns} numbers are too large"))?;
        let found = bytes.len().saturating_sub(start);
        if found != needed {
            let how = if found < needed { "it is cut short" } else { "there is more behind the last row" };
            return Err(format!(
                "{how}: {count} rows of {columns} numbers need {needed} bytes behind byte {start}, there are {found}"
            ));
        }
        if matches!(element, Element::I64 | Element::U64 | Element::Bool) {
            let row = columns * element.size();
            for (place, bytes) in bytes[start..].chunks_exact(row.max(1)).enumerate() {
                element.decode(order, bytes).map_err(|message| format!("row {place}: {message}"))?;
            }
        }
        Ok(Stored { bytes, start, element, order, count, columns })
    }

    /// Rows of bytes in memory.
    pub fn of_bytes(bytes: Vec<u8>, columns: usize) -> Stored {
        let count = bytes.len() / columns.max(1);
        Stored { bytes: Bytes::Owned(bytes), start: 0, element: Element::U8, order: Order::Little, count, columns }
    }
}

impl Rows for Stored {
    fn count(&self) -> usize {
        self.count
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn read(&self, places: &[usize], into: &mut [f64]) {
        let size = self.columns * self.element.size();
        for (&place, into) in places.iter().zip(into.chunks_exact_mut(self.columns.max(1))) {
            let start = self.start + place * size;
            self.element.decode_into(self.order, &self.bytes[start..start + size], into);
        }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows of {} numbers of type {:?}", self.count, self.columns, self.element)
    }
}

#[cfg(test)]
mod tests {
    use matgrad::train::Rows;

    use super::{Bytes, Stored};
    use crate::arrays::{Element, Order};

    #[test]
    fn rows_are_read_where_they_stand() {
        let numbers: Vec<u8> = [7_u8; 3].into_iter().chain((0..6_i16).flat_map(|i| (-i).to_be_bytes())).collect();
        let stored = Stored::new(Bytes::Owned(numbers), 3, (Element::I16, Order::Big), (3, 2)).unwrap();
        let mut into = [0.0; 4];
        stored.read(&[2, 0], &mut into);
        assert_eq!(into, [-4.0, -5.0, 0.0, -1.0]);
    }

    #[test]
    fn too_few_and_too_many_bytes_are_told() {
        let message = |bytes: usize| {
            let bytes = Bytes::Owned(vec![0; bytes]);
            Stored::new(bytes, 16, (Element::U8, Order::Big), (2, 5)).unwrap_err()
        };
        assert_eq!(message(25), "it is cut short: 2 rows of 5 numbers need 10 bytes behind byte 16, there are 9");
        assert!(message(27).starts_with("there is more behind the last row: "));
        let large = (1_u64 << 53) + 1;
        let bytes = Bytes::Owned(large.to_le_bytes().to_vec());
        let told = Stored::new(bytes, 0, (Element::U64, Order::Little), (1, 1)).unwrap_err();
        assert!(told.starts_with("row 0: number 0 is 9007199254740993"), "{told}");
    }
}
