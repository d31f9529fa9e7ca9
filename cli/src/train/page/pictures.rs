//! Features and weights as small PNG images in the text of a page: numbers and the size of the image come in, an address
//! that holds the image goes out.

use matgrad::render::base64;
use matgrad::train::ImageShape;

/// A sample: grey or in colours, from its least number to its largest, or from 0 to 255 where they are bytes.
pub fn sample(entries: &[f64], image: &ImageShape) -> String {
    let low = entries.iter().copied().fold(f64::INFINITY, f64::min);
    let high = entries.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bytes = high > 16.0 && entries.iter().all(|entry| (0.0..=255.0).contains(entry));
    let (low, high) = if bytes { (0.0, 255.0) } else { (low, high) };
    let span = if high > low { high - low } else { 1.0 };
    let pixel = |value: f64| ((value - low) / span * 255.0).round() as u8;
    let colours = image.channels == 3;
    let mut pixels = Vec::with_capacity(4 * image.rows * image.columns);
    for row in 0..image.rows {
        for column in 0..image.columns {
            let channel = |channel: usize| pixel(entries[image.place(row, column, channel)]);
            match colours {
                true => pixels.extend([channel(0), channel(1), channel(2), 255]),
                false => pixels.extend([channel(0), channel(0), channel(0), 255]),
            }
        }
    }
    address(&pixels, image)
}

/// Weights: blue where positive, red where negative, the stronger the larger, over the paper of the page. Channels are
/// added up.
pub fn weights(entries: &[f64], image: &ImageShape) -> String {
    let sum = |row: usize, column: usize| -> f64 {
        (0..image.channels).map(|channel| entries[image.place(row, column, channel)]).sum()
    };
    let all = (0..image.rows).flat_map(|row| (0..image.columns).map(move |column| (row, column)));
    let largest = all.clone().map(|(row, column)| sum(row, column).abs()).fold(0.0, f64::max);
    let mut pixels = Vec::with_capacity(4 * image.rows * image.columns);
    for (row, column) in all {
        let value = sum(row, column);
        let strength = if largest > 0.0 { (value.abs() / largest * 255.0).round() as u8 } else { 0 };
        match value > 0.0 {
            true => pixels.extend([58, 130, 190, strength]),
            false => pixels.extend([205, 80, 55, strength]),
        }
    }
    address(&pixels, image)
}

/// Pixels of red, green, blue and opacity as a `data:` address.
fn address(pixels: &[u8], image: &ImageShape) -> String {
    let (width, height) = (image.columns as u32, image.rows as u32);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    // Writing to memory does not fail where the pixels are as many as the size says.
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    debug_assert!(written.is_ok());
    format!("data:image/png;base64,{}", base64(&bytes))
}

#[cfg(test)]
mod tests {
    use super::{sample, weights};
    use matgrad::train::ImageShape;

    #[test]
    fn images_are_addresses_that_hold_a_png() {
        let image = ImageShape { rows: 2, columns: 3, channels: 1, planar: false };
        // The first bytes of every PNG, in base 64.
        for address in [sample(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &image), weights(&[0.0; 6], &image)] {
            assert!(address.starts_with("data:image/png;base64,iVBORw0KGgo"), "{address}");
        }
        let colours = ImageShape { channels: 3, planar: true, ..image };
        let grey: Vec<f64> = (0..18).map(|i| f64::from(i % 6)).collect();
        assert_eq!(sample(&grey, &colours), sample(&grey[..6], &image));
    }
}
