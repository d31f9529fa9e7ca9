//! `.safetensors`: a JSON header, then the numbers in little-endian order, row-major.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::element::{Element, Order};
use super::{Array, Stored};

/// All arrays of a file, by name.
///
/// # Errors
/// A message that names the entry.
pub fn read(bytes: &[u8]) -> Result<Vec<Stored>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| format!("it is no .safetensors file: {error}"))?;
    let mut tensors = file.tensors();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
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
    use super::{Array, write};

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
    fn other_types_are_errors_that_name_the_entry() {
        let header = br#"{"z":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(&[0; 8]);
        assert_eq!(read(&bytes).unwrap_err(), "entry `z`: numbers of type C64 are not read");
    }
}
