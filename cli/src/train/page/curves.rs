//! Curves over epochs as a drawing that follows the colours of its page: numbers come in, an SVG element goes out.

use std::fmt::Write;

/// The drawing in its own units, and the room around the curves.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 270.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 28.0;
/// Numbers that span more than this factor are drawn by their logarithms.
const WIDE: f64 = 30.0;

/// A number for each epoch, or none.
pub struct Curve {
    /// What it is.
    pub name: &'static str,
    /// By epoch.
    pub values: Vec<Option<f64>>,
}

/// The curves with axes, a key and a line at the epoch that was taken; `None` where there is nothing to draw.
pub fn chart(title: &str, unit: &str, curves: &[Curve], best: usize) -> Option<String> {
    let numbers: Vec<f64> = curves.iter().flat_map(|curve| curve.values.iter().flatten().copied()).collect();
    let low = numbers.iter().copied().reduce(f64::min)?;
    let high = numbers.iter().copied().reduce(f64::max)?;
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let logarithmic = unit.is_empty() && low > 0.0 && high / low > WIDE;
    let axis = Axis::new(low, high, logarithmic);
    let x = |epoch: usize| LEFT + (epoch as f64 - 1.0) / (epochs.max(2) - 1) as f64 * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| TOP + axis.part(value) * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg class=\"curves\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title} by epoch\">\n"
    );
    for tick in axis.ticks() {
        let (y, text) = (y(tick), number(tick));
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{text}{unit}</text>",
            WIDTH - RIGHT,
            LEFT - 7.0,
            y + 4.5
        );
    }
    let floor = HEIGHT - BOTTOM;
    let _ =
        writeln!(out, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{floor}\" y2=\"{floor}\"/>", WIDTH - RIGHT);
    for epoch in epoch_ticks(epochs) {
        let anchor = if epoch == epochs && epochs > 1 { "end" } else { "middle" };
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{epoch}</text>",
            x(epoch),
            floor + 19.0
        );
    }
    if best > 0 && epochs > 1 {
        let x = x(best);
        let _ = writeln!(
            out,
            "<line class=\"best\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{floor}\"><title>epoch {best}, whose parameters were taken</title></line>"
        );
    }
    let mut key = LEFT;
    for (curve, class) in curves.iter().zip(["one", "two"]) {
        let points: Vec<(f64, f64)> =
            curve.values.iter().enumerate().filter_map(|(place, value)| Some((x(place + 1), y((*value)?)))).collect();
        match points.as_slice() {
            [] => continue,
            [(x, y)] => {
                let _ = writeln!(out, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
            }
            points => {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                let _ = writeln!(out, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
            }
        }
        let _ = writeln!(out, "<text class=\"{class}\" x=\"{key:.0}\" y=\"14\">{}</text>", curve.name);
        key += 9.0 * curve.name.len() as f64 + 14.0;
    }
    out.push_str("</svg>\n");
    Some(out)
}

/// A range of numbers from bottom to top.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Axis {
    fn new(low: f64, high: f64, logarithmic: bool) -> Axis {
        if logarithmic {
            return Axis { low, high, logarithmic };
        }
        let margin = if high > low { 0.04 * (high - low) } else { 0.5 * high.abs().max(1e-3) };
        Axis { low: low - margin, high: high + margin, logarithmic }
    }

    /// Where a number is, from the top 0 to the bottom 1.
    fn part(&self, value: f64) -> f64 {
        match self.logarithmic {
            true => (self.high.ln() - value.ln()) / (self.high.ln() - self.low.ln()),
            false => (self.high - value) / (self.high - self.low),
        }
    }

    /// Round numbers within the range.
    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
            let digits = |power: i32| ["1", "3"].map(|digit| format!("{digit}e{power}").parse().unwrap_or(f64::NAN));
            let all = powers.flat_map(digits);
            let within: Vec<f64> = all.filter(|tick| (self.low..=self.high).contains(tick)).collect();
            return if within.len() > 7 { within.into_iter().step_by(2).collect() } else { within };
        }
        let rough = (self.high - self.low) / 5.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|digit| digit * power >= rough).unwrap_or(10.0) * power;
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).map(|count| count as f64 * step).collect()
    }
}

/// First and last, and round ones between.
fn epoch_ticks(epochs: usize) -> Vec<usize> {
    let step =
        [1, 2, 5, 10, 20, 50, 100, 200, 500].into_iter().find(|step| epochs / step <= 6).unwrap_or(epochs.div_ceil(6));
    let between = (1..).map(|count| count * step).take_while(|epoch| *epoch < epochs);
    let between = between.filter(|&epoch| epoch > 1 && epochs - epoch >= step.div_ceil(2));
    let mut out: Vec<usize> = std::iter::once(1).chain(between).collect();
    if epochs > 1 {
        out.push(epochs);
    }
    out
}

/// A number as short as it can be at a tick.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Axis, Curve, chart, epoch_ticks, number};

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(Axis::new(0.1, 0.9, false).ticks(), [0.2, 0.4, 0.6000000000000001, 0.8]);
        assert_eq!(Axis::new(0.0012, 2.0, true).ticks(), [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]);
        assert_eq!(number(0.6000000000000001), "0.6");
        assert_eq!(epoch_ticks(30), [1, 5, 10, 15, 20, 25, 30]);
        assert_eq!((epoch_ticks(1), epoch_ticks(4)), (vec![1], vec![1, 2, 3, 4]));
        assert!(!Axis::new(5.0, 5.0, false).ticks().is_empty());
    }

    #[test]
    fn all_that_is_drawn_is_within_the_drawing() {
        let curves = [
            Curve { name: "training", values: vec![Some(3.0), Some(0.5), Some(0.01)] },
            Curve { name: "validation", values: vec![None, Some(1.0), None] },
        ];
        let svg = chart("Loss", "", &curves, 2).unwrap();
        assert!(svg.contains("points=\"58.0,24.0 253.0,") && svg.contains("448.0,242.0\""), "{svg}");
        assert!(svg.contains("<circle class=\"two\""), "{svg}");
        assert_eq!(chart("Accuracy", " %", &[Curve { name: "training", values: vec![None] }], 1), None);
    }
}
