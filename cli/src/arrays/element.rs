//! Bytes of numbers to 64-bit floats, for each type of number that files hold.

/// A type of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// One byte, 0 or 1.
    Bool,
    /// A signed integer of 8 bits.
    I8,
    /// An unsigned integer of 8 bits.
    U8,
    /// A signed integer of 16 bits.
    I16,
    /// An unsigned integer of 16 bits.
    U16,
    /// A signed integer of 32 bits.
    I32,
    /// An unsigned integer of 32 bits.
    U32,
    /// A signed integer of 64 bits.
    I64,
    /// An unsigned integer of 64 bits.
    U64,
    /// IEEE half precision.
    F16,
    /// The upper half of a 32-bit float.
    Bf16,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

/// In which order the bytes of a number stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The least byte first.
    Little,
    /// The greatest byte first.
    Big,
}

impl Element {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Element::Bool | Element::I8 | Element::U8 => 1,
            Element::I16 | Element::U16 | Element::F16 | Element::Bf16 => 2,
            Element::I32 | Element::U32 | Element::F32 => 4,
            Element::I64 | Element::U64 | Element::F64 => 8,
        }
    }

    /// The distance from 1 to the next number of this type, at least that of a 64-bit float.
    pub fn rounding(self) -> f64 {
        match self {
            Element::F16 => 2_f64.powi(-10),
            Element::Bf16 => 2_f64.powi(-7),
            Element::F32 => f64::from(f32::EPSILON),
            _ => f64::EPSILON,
        }
    }

    /// Numbers of bytes that [`Element::decode`] takes, into a place for as many; what it would refuse is not a number.
    pub fn decode_into(self, order: Order, bytes: &[u8], into: &mut [f64]) {
        let little = order == Order::Little;
        match self {
            Element::U8 => into.iter_mut().zip(bytes).for_each(|(entry, &byte)| *entry = f64::from(byte)),
            Element::F64 if little => {
                let (chunks, _) = bytes.as_chunks::<8>();
                into.iter_mut().zip(chunks).for_each(|(entry, &chunk)| *entry = f64::from_le_bytes(chunk));
            }
            Element::F32 if little => {
                let (chunks, _) = bytes.as_chunks::<4>();
                into.iter_mut().zip(chunks).for_each(|(entry, &chunk)| *entry = f64::from(f32::from_le_bytes(chunk)));
            }
            _ => match self.decode(order, bytes) {
                Ok(numbers) => into.copy_from_slice(&numbers),
                Err(_) => into.fill(f64::NAN),
            },
        }
    }

    /// All numbers of some bytes.
    ///
    /// # Errors
    /// A message where an integer is beyond what a 64-bit float holds exactly, or where a truth value is neither 0 nor 1.
    pub fn decode(self, order: Order, bytes: &[u8]) -> Result<Vec<f64>, String> {
        match self {
            Element::Bool => bytes
                .iter()
                .enumerate()
                .map(|(i, &b)| match b {
                    0 | 1 => Ok(f64::from(b)),
                    _ => Err(format!("number {i} is no truth value (byte {b})")),
                })
                .collect(),
            Element::I8 => Ok(bytes.iter().map(|&b| f64::from(b.cast_signed())).collect()),
            Element::U8 => Ok(bytes.iter().map(|&b| f64::from(b)).collect()),
            Element::I16 => Ok(words(order, bytes, |b| f64::from(i16::from_le_bytes(b)))),
            Element::U16 => Ok(words(order, bytes, |b| f64::from(u16::from_le_bytes(b)))),
            Element::I32 => Ok(words(order, bytes, |b| f64::from(i32::from_le_bytes(b)))),
            Element::U32 => Ok(words(order, bytes, |b| f64::from(u32::from_le_bytes(b)))),
            Element::I64 => exact(words(order, bytes, |b| i128::from(i64::from_le_bytes(b)))),
            Element::U64 => exact(words(order, bytes, |b| i128::from(u64::from_le_bytes(b)))),
            Element::F16 => Ok(words(order, bytes, |b| half(u16::from_le_bytes(b)))),
            Element::Bf16 => {
                Ok(words(order, bytes, |b| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))))
            }
            Element::F32 => Ok(words(order, bytes, |b| f64::from(f32::from_le_bytes(b)))),
            Element::F64 => Ok(words(order, bytes, f64::from_le_bytes)),
        }
    }
}

fn words<const N: usize, T>(order: Order, bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks
        .iter()
        .map(|chunk| {
            let mut chunk = *chunk;
            if order == Order::Big {
                chunk.reverse();
            }
            read(chunk)
        })
        .collect()
}

fn exact(integers: Vec<i128>) -> Result<Vec<f64>, String> {
    let mut out = Vec::with_capacity(integers.len());
    for (i, integer) in integers.into_iter().enumerate() {
        let float = integer as f64;
        if float as i128 != integer {
            return Err(format!("number {i} is {integer}, which a 64-bit float cannot hold"));
        }
        out.push(float);
    }
    Ok(out)
}

/// IEEE 754 half precision: 1 sign bit, 5 of exponent (bias 15), 10 of fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    match exponent {
        0 => sign * fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::{Element, Order, half};

    #[test]
    fn half_precision_is_exact() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x0400, 6.103515625e-5), (0x0001, 2_f64.powi(-24))]
        {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }

    #[test]
    fn both_byte_orders_are_read() {
        let one_and_half = [0x3f, 0xc0, 0, 0];
        assert_eq!(Element::F32.decode(Order::Big, &one_and_half).unwrap(), [1.5]);
        assert_eq!(Element::Bf16.decode(Order::Big, &one_and_half[..2]).unwrap(), [1.5]);
        assert_eq!(Element::I16.decode(Order::Little, &[0xfe, 0xff, 1, 0]).unwrap(), [-2.0, 1.0]);
    }

    #[test]
    fn what_a_float_cannot_hold_is_an_error() {
        let large = (1_i64 << 53) + 1;
        assert!(Element::I64.decode(Order::Little, &large.to_le_bytes()).unwrap_err().contains("9007199254740993"));
        assert_eq!(Element::U64.decode(Order::Little, &(1_u64 << 63).to_le_bytes()).unwrap(), [2_f64.powi(63)]);
        assert!(Element::Bool.decode(Order::Little, &[0, 1, 2]).is_err());
    }
}
