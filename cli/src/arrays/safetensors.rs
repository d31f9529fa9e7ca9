//! `.safetensors`: a JSON header, then the numbers in little-endian order, row-major.

use std::collections::BTreeMap;

use matgrad::plan::Precision;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;

use super::element::{Element, Order};
use super::{Array, Stored};

/// All arrays of a file, by name.
///
/// # Errors
/// A message that names the entry.
pub fn read(bytes: &[u8]) -> Result<Vec<Stored>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| format!("it is no .safetensors file: {error}"))?;
    let mut tensors = file.tensors();
    tensors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut out = Vec::with_capacity(tensors.len());
    for (name, view) in tensors {
        let within = |message: String| format!("entry `{}`: {message}", name.escape_debug());
        let element = element(view.dtype()).map_err(within)?;
        let entries = element.decode(Order::Little, view.data()).map_err(within)?;
        let array = Array { shape: view.shape().to_vec(), entries };
        out.push(Stored { name, array, rounding: element.rounding() });
    }
    Ok(out)
}

/// The file of some arrays, as 64-bit floats.
///
/// # Errors
/// A message where an entry cannot be written.
pub fn write(arrays: &[(String, Array)]) -> Result<Vec<u8>, String> {
    let bytes: Vec<Vec<u8>> =
        arrays.iter().map(|(_, array)| array.entries.iter().flat_map(|entry| entry.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(arrays.len());
    for ((name, array), bytes) in arrays.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F64, array.shape.clone(), bytes)
            .map_err(|error| format!("entry `{name}` cannot be written: {error}"))?;
        views.push((name.clone(), view));
    }
    safetensors::serialize(views, None).map_err(|error| format!("the file cannot be written: {error}"))
}

/// The texts beside the arrays of a file, by name.
///
/// # Errors
/// A message where it is no such file.
pub fn metadata(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| format!("it is no .safetensors file: {error}"))?;
    Ok(metadata.metadata().iter().flatten().map(|(key, text)| (key.clone(), text.clone())).collect())
}

/// The file of some arrays, each in its precision, and of texts beside them. Written here and not by the crate, whose header
/// has the texts in an order that changes from run to run. 64-bit floats come first, so that all lie at multiples of their
/// size.
pub fn write_with_metadata(arrays: &[(String, Array, Precision)], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let mut header = format!("{{\"__metadata__\":{}", json!(metadata));
    let of = |precision: Precision| arrays.iter().filter(move |(_, _, own)| own.bytes() == precision.bytes());
    let mut numbers = Vec::new();
    for (name, array, precision) in of(Precision::Double).chain(of(Precision::Single)) {
        let start = numbers.len();
        let dtype = match precision {
            Precision::Double => {
                numbers.extend(array.entries.iter().flat_map(|entry| entry.to_le_bytes()));
                "F64"
            }
            Precision::Mixed | Precision::Single => {
                numbers.extend(array.entries.iter().flat_map(|&entry| (entry as f32).to_le_bytes()));
                "F32"
            }
        };
        let about = json!({"dtype": dtype, "shape": array.shape, "data_offsets": [start, numbers.len()]});
        header.push_str(&format!(",{}:{about}", json!(name)));
    }
    header.push('}');
    // The numbers begin at a multiple of 8 bytes.
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut out = Vec::with_capacity(8 + header.len() + numbers.len());
    out.extend_from_slice(&(header.len() as u64).to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&numbers);
    out
}

fn element(dtype: Dtype) -> Result<Element, String> {
    Ok(match dtype {
        Dtype::BOOL => Element::Bool,
        Dtype::I8 => Element::I8,
        Dtype::U8 => Element::U8,
        Dtype::I16 => Element::I16,
        Dtype::U16 => Element::U16,
        Dtype::I32 => Element::I32,
        Dtype::U32 => Element::U32,
        Dtype::I64 => Element::I64,
        Dtype::U64 => Element::U64,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::F32 => Element::F32,
        Dtype::F64 => Element::F64,
        other => return Err(format!("numbers of type {other:?} are not read")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Array, Precision, write, write_with_metadata};

    fn read(bytes: &[u8]) -> Result<Vec<(String, Array)>, String> {
        Ok(super::read(bytes)?.into_iter().map(|stored| (stored.name, stored.array)).collect())
    }

    #[test]
    fn what_is_written_is_read() {
        let arrays = vec![
            ("L".to_owned(), Array { shape: vec![], entries: vec![-1.25] }),
            ("grad(L,W1)".to_owned(), Array { shape: vec![2, 3], entries: vec![0.5; 6] }),
        ];
        let bytes = write(&arrays).unwrap();
        assert_eq!(read(&bytes).unwrap(), arrays);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn texts_beside_the_arrays_are_kept_in_order() {
        let arrays = vec![
            ("V".to_owned(), Array { shape: vec![3], entries: vec![0.1, 1e-300, 2.0] }, Precision::Single),
            ("W1".to_owned(), Array { shape: vec![1, 2], entries: vec![0.1, -0.0] }, Precision::Double),
            ("b".to_owned(), Array { shape: vec![], entries: vec![f64::NAN] }, Precision::Double),
        ];
        let texts: BTreeMap<String, String> =
            ["program", "labels", "ü \"\n"].map(|key| (key.to_owned(), format!("text of {key}"))).into();
        let bytes = write_with_metadata(&arrays, &texts);
        assert_eq!(bytes, write_with_metadata(&arrays, &texts));
        assert_eq!(super::metadata(&bytes).unwrap(), texts);
        let found = read(&bytes).unwrap();
        assert_eq!(found[0].1.entries, [f64::from(0.1_f32), 0.0, 2.0]);
        assert_eq!(found[1], (arrays[1].0.clone(), arrays[1].1.clone()));
        assert!(found[2].1.entries[0].is_nan() && found[1].1.entries[1].is_sign_negative());
        assert_eq!(super::metadata(&write(&found).unwrap()).unwrap(), BTreeMap::new());
    }

    #[test]
    fn other_types_are_errors_that_name_the_entry() {
        let header = br#"{"z":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(&[0; 8]);
        assert_eq!(read(&bytes).unwrap_err(), "entry `z`: numbers of type C64 are not read");
    }
}
