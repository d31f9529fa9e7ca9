//! Curves in a terminal, drawn with braille dots: a history comes in, lines of text go out.

use std::fmt::Write;

use matgrad::train::Epoch;

/// Characters of a plot, and dots of a character.
const WIDTH: usize = 60;
const HEIGHT: usize = 10;
const ACROSS: usize = 2;
const DOWN: usize = 4;

/// The loss, and the accuracy where there is one, of all epochs.
pub fn history(history: &[Epoch]) -> String {
    let loss: Vec<Option<f64>> = history.iter().map(|epoch| Some(epoch.loss)).collect();
    let validation_loss: Vec<Option<f64>> = history.iter().map(|epoch| epoch.validation_loss).collect();
    let mut out = plot("loss", &[("training", &loss), ("validation", &validation_loss)]);
    let accuracy: Vec<Option<f64>> = history.iter().map(|epoch| epoch.accuracy).collect();
    let validation: Vec<Option<f64>> = history.iter().map(|epoch| epoch.validation_accuracy).collect();
    out.push_str(&plot("accuracy", &[("training", &accuracy), ("validation", &validation)]));
    out
}

/// Curves over epochs from 1 with a common scale; nothing where there is no number.
fn plot(title: &str, curves: &[(&str, &[Option<f64>])]) -> String {
    let numbers = || curves.iter().flat_map(|(_, curve)| curve.iter().flatten().copied());
    let (low, high) = numbers().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low > high {
        return String::new();
    }
    let span = if high > low { high - low } else { 1.0 };
    let mut dots = vec![[false; WIDTH * ACROSS]; HEIGHT * DOWN];
    let mut epochs = 1;
    for (which, (_, curve)) in curves.iter().enumerate() {
        let place = |epoch: usize, value: f64| {
            let across = epoch as f64 / (curve.len().max(2) - 1) as f64 * (WIDTH * ACROSS - 1) as f64;
            let down = (high - value) / span * (HEIGHT * DOWN - 1) as f64;
            (across, down)
        };
        epochs = epochs.max(curve.len());
        let points: Vec<(f64, f64)> =
            curve.iter().enumerate().filter_map(|(epoch, value)| Some(place(epoch, (*value)?))).collect();
        let ends = points.windows(2).map(|pair| (pair[0], pair[1]));
        let single = (points.len() == 1).then(|| (points[0], points[0]));
        for ((x0, y0), (x1, y1)) in ends.chain(single) {
            let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0) as usize;
            for step in 0..=steps {
                let part = step as f64 / steps as f64;
                let (x, y) = ((x0 + part * (x1 - x0)).round() as usize, (y0 + part * (y1 - y0)).round() as usize);
                // The second curve is dotted.
                if which == 0 || (x / 2) % 2 == 0 {
                    dots[y.min(HEIGHT * DOWN - 1)][x.min(WIDTH * ACROSS - 1)] = true;
                }
            }
        }
    }
    let dotted = curves.get(1).is_some_and(|(_, curve)| curve.iter().any(Option::is_some));
    let key = if dotted { "training drawn through, validation dotted" } else { "training" };
    let mut out = format!("\n{title} ({key})\n");
    for row in 0..HEIGHT {
        let label = match row {
            0 => format!("{high:>10.4}"),
            row if row == HEIGHT - 1 => format!("{low:>10.4}"),
            _ => " ".repeat(10),
        };
        let line: String = (0..WIDTH).map(|column| braille(&dots, row, column)).collect();
        let _ = writeln!(out, "{label} │{}", line.trim_end_matches('\u{2800}'));
    }
    let _ = writeln!(out, "{} └{}", " ".repeat(10), "─".repeat(WIDTH));
    let _ = writeln!(out, "{} epoch 1{:>width$}", " ".repeat(10), epochs, width = WIDTH - 6);
    out
}

/// A character of two by four dots (Unicode's block from 2800).
fn braille(dots: &[[bool; WIDTH * ACROSS]], row: usize, column: usize) -> char {
    const BITS: [[u32; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    let mut bits = 0;
    for (down, line) in BITS.iter().enumerate() {
        for (across, bit) in line.iter().enumerate() {
            if dots[row * DOWN + down][column * ACROSS + across] {
                bits |= bit;
            }
        }
    }
    char::from_u32(0x2800 + bits).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::{HEIGHT, plot};

    #[test]
    fn a_curve_goes_from_corner_to_corner() {
        let falling: Vec<Option<f64>> = (0..20).map(|i| Some(f64::from(20 - i))).collect();
        let text = plot("loss", &[("training", &falling)]);
        let lines: Vec<&str> = text.lines().skip(2).take(HEIGHT).collect();
        assert!(lines[0].starts_with("   20.0000 │⠑") || lines[0].contains("│⠢") || lines[0].contains("│⠉"), "{text}");
        assert!(lines[0].trim_end().chars().count() < 24, "{text}");
        assert!(lines[HEIGHT - 1].starts_with("    1.0000 │\u{2800}"), "{text}");
        assert_eq!(lines[HEIGHT - 1].chars().count(), 12 + 60, "{text}");
        assert!(text.ends_with("20\n") && text.contains("epoch 1 "), "{text}");
    }

    #[test]
    fn nothing_and_a_single_point_are_drawn_too() {
        assert_eq!(plot("accuracy", &[("training", &[None, None])]), "");
        let text = plot("loss", &[("training", &[Some(0.5)]), ("validation", &[None])]);
        assert!(text.contains("loss (training)") && text.contains("0.5000"), "{text}");
    }
}
