//! Tables of comma-separated values: a text comes in; numbers, labels and the names of columns go out. A header is found, a
//! wrong cell is told with its line and column. Nothing is guessed about a cell that is no number.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim};
use matgrad::matrix::Matrix;
use matgrad::train::Rows;

use super::Wanted;
use super::stored::Stored;

/// Names that a column of labels goes by, in any case.
const LABEL_NAMES: [&str; 9] = ["label", "labels", "class", "target", "y", "species", "category", "digit", "outcome"];

/// A table as it stands.
#[derive(Debug)]
pub struct Table {
    /// The features.
    pub rows: Box<dyn Rows>,
    /// The names of their columns; none without a header.
    pub columns: Vec<String>,
    /// The labels with their lines, if there is a column of them.
    pub labels: Option<Vec<(String, u64)>>,
    /// The name of that column, or its number from 1.
    pub label_column: Option<String>,
    /// The number of that column, from 1.
    pub label_place: Option<usize>,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// Reads a table.
///
/// # Errors
/// A message with the line, and the column where it is one.
pub fn read(text: &[u8], wanted: &Wanted<'_>) -> Result<Table, String> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text);
    let (mut first, mut second) = (StringRecord::new(), StringRecord::new());
    if !next(&mut reader, &mut first)? {
        return Err("it is empty".to_owned());
    }
    let more = next(&mut reader, &mut second)?;
    let header = is_header(&first, more.then_some(&second));
    let names: Vec<String> = if header { first.iter().map(str::to_owned).collect() } else { Vec::new() };
    if let Some(name) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)).map(|(_, name)| name) {
        return Err(format!("two columns have the name `{name}`"));
    }
    let width = first.len();
    let chosen = choose(&names, width, wanted)?;
    let mut notes = Vec::new();
    if !chosen.unused.is_empty() {
        let unused: Vec<String> = chosen.unused.iter().map(|&column| format!("`{}`", names[column])).collect();
        notes.push(format!("the model does not use the columns {}", unused.join(", ")));
    }
    let mut growing = Growing::Bytes(Vec::new());
    let mut labels = Vec::new();
    let take = |record: &StringRecord, growing: &mut Growing, labels: &mut Vec<(String, u64)>| {
        let line = record.position().map_or(0, |place| line_of(text, place));
        if record.len() != width {
            let whose = if header { "the header" } else { "the first" };
            return Err(format!("line {line} has {} fields; {whose} has {width}", record.len()));
        }
        for &column in &chosen.features {
            let cell = &record[column];
            let number = number(cell).map_err(|what| {
                let name = names.get(column).map(|name| format!(" (`{name}`)")).unwrap_or_default();
                format!("line {line}, column {}{name}: {what}", column + 1)
            })?;
            growing.push(number);
        }
        if let Some(column) = chosen.label {
            let cell = &record[column];
            if cell.is_empty() {
                return Err(format!("line {line}, column {}: the label is empty", column + 1));
            }
            labels.push((cell.to_owned(), line));
        }
        Ok(())
    };
    if !header {
        take(&first, &mut growing, &mut labels)?;
    }
    if more {
        take(&second, &mut growing, &mut labels)?;
        while next(&mut reader, &mut second)? {
            take(&second, &mut growing, &mut labels)?;
        }
    }
    let rows = growing.rows(chosen.features.len());
    if rows.count() == 0 {
        return Err("it has a header and no row".to_owned());
    }
    let column_name = |column: usize| names.get(column).cloned().unwrap_or_else(|| (column + 1).to_string());
    Ok(Table {
        rows,
        columns: if header {
            chosen.features.iter().map(|&column| names[column].clone()).collect()
        } else {
            Vec::new()
        },
        labels: chosen.label.map(|_| labels),
        label_column: chosen.label.map(column_name),
        label_place: chosen.label.map(|column| column + 1),
        notes,
    })
}

/// The next line that is not empty.
fn next(reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, String> {
    reader.read_record(record).map_err(|error| match error.kind() {
        csv::ErrorKind::Utf8 { pos, .. } => {
            format!("line {} is not UTF-8 text", pos.as_ref().map_or(0, csv::Position::line))
        }
        _ => error.to_string(),
    })
}

/// The one of comma, semicolon and tab that the first line has most of.
fn delimiter(text: &[u8]) -> u8 {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|&&byte| byte == delimiter).count();
    // The first of equal ones is wanted, and `max_by_key` takes the last.
    [b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

/// Whether the first line names the columns: a cell is no number where the second line has one, or no cell is a number.
fn is_header(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let word = |cell: &str| cell.parse::<f64>().is_err();
    let over_number =
        |second: &StringRecord| first.iter().zip(second).any(|(a, b)| word(a) && !a.is_empty() && !word(b));
    first.iter().all(|cell| word(cell) && !cell.is_empty()) || second.is_some_and(over_number)
}

/// The line a record begins on: the reader's place is before the empty lines that it skips.
fn line_of(text: &[u8], place: &csv::Position) -> u64 {
    let rest = text.get(place.byte() as usize..).unwrap_or_default();
    let skipped = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count();
    place.line() + skipped as u64
}

fn number(cell: &str) -> Result<f64, String> {
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(format!("`{cell}` is no finite number")),
        Err(_) if cell.is_empty() => Err("the field is empty".to_owned()),
        Err(_) => Err(format!("`{}` is no number", shortened(cell))),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Which columns are what.
struct Chosen {
    features: Vec<usize>,
    label: Option<usize>,
    /// Columns of which a model has no use.
    unused: Vec<usize>,
}

fn choose(names: &[String], width: usize, wanted: &Wanted<'_>) -> Result<Chosen, String> {
    let known = |name: &str| names.iter().position(|known| known == name);
    let numbered = |text: &str| text.parse::<usize>().ok().filter(|number| (1..=width).contains(number));
    let told = match wanted.label_column {
        None => None,
        Some(told) => match known(told).or_else(|| numbered(told).map(|number| number - 1)) {
            Some(column) => Some(column),
            // A model's data may come without labels.
            None if wanted.columns.is_some() => None,
            None => {
                let have = if names.is_empty() { format!("{width} columns without names") } else { names.join(", ") };
                return Err(format!("there is no column `{told}` of labels; there are {have}"));
            }
        },
    };
    if let Some(columns) = wanted.columns {
        if !names.is_empty() && !columns.is_empty() {
            let find = |name: &String| {
                known(name).ok_or_else(|| format!("there is no column `{name}`, which the model needs"))
            };
            let features: Vec<usize> = columns.iter().map(find).collect::<Result<_, _>>()?;
            let unused = (0..width).filter(|column| !features.contains(column) && Some(*column) != told).collect();
            return Ok(Chosen { features, label: told, unused });
        }
        let all = |label: Option<usize>| (0..width).filter(|&column| Some(column) != label).collect::<Vec<_>>();
        let label = match wanted.width {
            Some(needed) if width == needed => None,
            Some(needed) if width == needed + 1 => {
                let place = wanted.label_place.filter(|place| (1..=width).contains(place)).unwrap_or(width);
                told.or(Some(place - 1))
            }
            Some(needed) => return Err(format!("there are {width} columns; the model takes {needed}")),
            None => told,
        };
        return Ok(Chosen { features: all(label), label, unused: Vec::new() });
    }
    let label = match (told, wanted.target.is_some()) {
        (Some(told), _) => Some(told),
        (None, false) => None,
        (None, true) => {
            let named = |name: &&str| names.iter().position(|known| known.eq_ignore_ascii_case(name));
            Some(LABEL_NAMES.iter().find_map(named).unwrap_or(width - 1))
        }
    };
    let features: Vec<usize> = (0..width).filter(|&column| Some(column) != label).collect();
    if features.is_empty() {
        return Err("there is one column only; features and labels need two at least".to_owned());
    }
    Ok(Chosen { features, label, unused: Vec::new() })
}

/// Numbers on the way: bytes as long as all are whole numbers up to 255, an eighth of the memory.
enum Growing {
    Bytes(Vec<u8>),
    Floats(Vec<f64>),
}

impl Growing {
    fn push(&mut self, number: f64) {
        match self {
            Growing::Bytes(bytes) => {
                let byte = number as u8;
                if f64::from(byte) == number && !(number == 0.0 && number.is_sign_negative()) {
                    bytes.push(byte);
                } else {
                    let mut floats: Vec<f64> = bytes.iter().map(|&byte| f64::from(byte)).collect();
                    floats.push(number);
                    *self = Growing::Floats(floats);
                }
            }
            Growing::Floats(floats) => floats.push(number),
        }
    }

    fn rows(self, columns: usize) -> Box<dyn Rows> {
        match self {
            Growing::Bytes(bytes) => Box::new(Stored::of_bytes(bytes, columns)),
            Growing::Floats(floats) => Box::new(Matrix::new(floats.len() / columns.max(1), columns, floats)),
        }
    }
}

/// The text of a file of tables that may be compressed.
pub fn text(path: &std::path::Path) -> Result<Vec<u8>, crate::failure::Failure> {
    let bytes = super::opened(path)?;
    let mut text = Vec::with_capacity(bytes.len());
    // A mark of UTF-8 in front is no part of the first name.
    let start = if bytes.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
    (&bytes[start..]).read_to_end(&mut text).map_err(|error| crate::failure::Failure::file("read", path, &error))?;
    Ok(text)
}
