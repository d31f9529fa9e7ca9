//! The report on a training: one HTML document that asks nothing of anyone. What was trained, how well, by which derivation
//! and with which options comes in; curves, tables and images go out, for light and dark, for phones and desks.

mod curves;
mod pictures;

use std::fmt::Write;
use std::time::Duration;

use matgrad::diagnostic::Diagnostic;
use matgrad::matrix::Matrix;
use matgrad::render::html_parts;
use matgrad::train::{Confusion, ImageShape, Trained};

use super::arguments::Task;
use super::inputs::Inputs;
use super::model::Saved;
use super::outcome::{Fit, Part, Results, fit};
use curves::{Curve, chart};

const STYLE: &str = include_str!("../../../assets/report.css");
/// More classes than this are no table to read.
const TABLE: usize = 40;
/// Samples that are shown as mistakes.
const MISTAKES: usize = 24;
/// Hidden units whose weights are shown.
const UNITS: usize = 64;
/// Images are shown with no more pixels than this on a side.
const SIDE: usize = 128;

/// What a report is about.
pub struct About<'a> {
    /// What was to be done.
    pub task: &'a Task,
    /// On what.
    pub inputs: &'a Inputs,
    /// The lines of the check of the derivation.
    pub checked: &'a [String],
    /// How long it took.
    pub time: Duration,
}

/// The report.
///
/// # Errors
/// Scores that cannot be made into probabilities.
pub fn page(about: &About<'_>, trained: &Trained, saved: &Saved, results: &Results) -> Result<String, Diagnostic> {
    let derivation = html_parts(about.inputs.objective.answer(), about.checked);
    let what = match &about.task.program {
        Some(path) => path.display().to_string(),
        None => "The two-layer network".to_owned(),
    };
    let title = escaped(&format!("{what}, trained on {}", short_name(&about.inputs.data.name)));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{}{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        derivation.style
    );
    let name = &about.inputs.data.name;
    let _ = writeln!(out, "<p class=\"under\">{}</p>", escaped(name));
    out.push_str(&figures(about, trained, results));
    out.push_str(&history(trained));
    if let Some(part) = results.last() {
        if let Some(confusion) = &part.confusion {
            out.push_str(&mistaken(part.name, confusion, &results.classes));
        }
        out.push_str(&mistakes(part, saved, results)?);
    }
    if let Some(image) = saved.image {
        out.push_str(&weights(saved, image));
    }
    out.push_str(&options(about, saved));
    let _ = writeln!(out, "<div class=\"derivation\">\n{}</div>\n</main>\n</body>\n</html>", derivation.body);
    Ok(out)
}

/// Text within a document.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What data are known by: the last part of a path, or what stands before a bracket.
fn short_name(name: &str) -> &str {
    let name = name.split(" (").next().unwrap_or(name);
    name.trim_end_matches('/').rsplit('/').next().unwrap_or(name)
}

fn figures(about: &About<'_>, trained: &Trained, results: &Results) -> String {
    let mut out = "<div class=\"figures\">\n".to_owned();
    let mut add = |value: String, what: String| {
        let _ = writeln!(out, "<div><b>{value}</b><span>{what}</span></div>");
    };
    for part in results.parts.iter().rev() {
        let count = part.samples.len();
        match (&part.confusion, fit(part)) {
            (Some(confusion), _) => {
                add(percent(confusion.accuracy()), format!("accuracy, {count} {} samples", part.name));
            }
            (None, Some(Fit { explained: Some(explained), .. })) => {
                add(format!("{explained:.4}"), format!("R², {count} {} samples", part.name));
            }
            (None, _) => add(short(part.loss), format!("loss, {count} {} samples", part.name)),
        }
    }
    if let Some(part) = results.last() {
        add(short(part.loss), format!("loss, {} samples", part.name));
    }
    add(trained.model.parameters.count().to_string(), "parameters".to_owned());
    let epochs = trained.history.len();
    add(format!("{} of {epochs}", trained.best_epoch), "epoch taken".to_owned());
    let time = match about.time.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.0} ms", 1e3 * seconds),
        seconds => format!("{seconds:.1} s"),
    };
    add(time, "from start to report".to_owned());
    out.push_str("</div>\n");
    out
}

fn percent(part: f64) -> String {
    format!("{:.2} %", 100.0 * part)
}

fn short(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-3..1e5).contains(&size) { format!("{number:.2e}") } else { format!("{number:.4}") }
}

fn history(trained: &Trained) -> String {
    let curve = |name: &'static str, of: &dyn Fn(&matgrad::train::Epoch) -> Option<f64>| Curve {
        name,
        values: trained.history.iter().map(of).collect(),
    };
    let loss = [curve("training", &|epoch| Some(epoch.loss)), curve("validation", &|epoch| epoch.validation_loss)];
    let accuracy = [
        curve("training", &|epoch| epoch.accuracy.map(|part| 100.0 * part)),
        curve("validation", &|epoch| epoch.validation_accuracy.map(|part| 100.0 * part)),
    ];
    let charts: Vec<String> = [("Loss", "", &loss), ("Accuracy", " %", &accuracy)]
        .into_iter()
        .filter_map(|(title, unit, curves)| {
            let svg = chart(title, unit, curves, trained.best_epoch)?;
            Some(format!("<figure>\n<figcaption>{title} by epoch</figcaption>\n{svg}</figure>\n"))
        })
        .collect();
    match charts.is_empty() {
        true => String::new(),
        false => format!("<h2>History</h2>\n<div class=\"two\">\n{}</div>\n", charts.concat()),
    }
}

/// What was taken for what, and precision and recall of each class.
fn mistaken(part: &str, confusion: &Confusion, classes: &[String]) -> String {
    let counts = confusion.counts();
    let mut out = "<div class=\"two\">\n".to_owned();
    if counts.len() <= TABLE {
        let _ = write!(
            out,
            "<div>\n<h2>Confusion</h2>\n<p>{} samples of each class (row) by the class predicted (column)</p>\n\
             <div class=\"scroll\"><table class=\"confusion\">\n<thead><tr><td></td>",
            capital(part)
        );
        for name in classes {
            let _ = write!(out, "<th title=\"{0}\">{0}</th>", escaped(name));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        let off = counts.iter().enumerate().flat_map(|(i, row)| row.iter().enumerate().filter(move |(j, _)| *j != i));
        let most = off.map(|(_, &count)| count).max().unwrap_or(0).max(1);
        for (class, row) in counts.iter().enumerate() {
            let _ = write!(out, "<tr><th>{}</th>", escaped(&classes[class]));
            let support = confusion.support(class).max(1);
            for (taken, &count) in row.iter().enumerate() {
                let (kind, part) = match (count, taken == class) {
                    (0, _) => ("none", 0.0),
                    (_, true) => ("right", 0.08 + 0.37 * count as f64 / support as f64),
                    (_, false) => ("wrong", 0.15 + 0.65 * count as f64 / most as f64),
                };
                let shown = if count == 0 { "·".to_owned() } else { count.to_string() };
                let _ = write!(out, "<td class=\"{kind}\" style=\"--part: {part:.2}\">{shown}</td>");
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table></div>\n</div>\n");
    }
    out.push_str("<div>\n<h2>Classes</h2>\n<p>Precision: of those taken for a class, the part that is of it. Recall: of a class, the part taken for it.</p>\n<div class=\"scroll\"><table class=\"list\">\n");
    out.push_str("<thead><tr><th>class</th><th>precision</th><th>recall</th><th>samples</th></tr></thead>\n<tbody>\n");
    let shown = |part: Option<f64>| part.map_or("–".to_owned(), percent);
    for (class, name) in classes.iter().enumerate() {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(name),
            shown(confusion.precision(class)),
            shown(confusion.recall(class)),
            confusion.support(class)
        );
    }
    out.push_str("</tbody>\n</table></div>\n</div>\n</div>\n");
    out
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The samples whose right class got the smallest probability.
fn mistakes(part: &Part, saved: &Saved, results: &Results) -> Result<String, Diagnostic> {
    let (Some(scores), Some(_)) = (&part.scores, &part.confusion) else { return Ok(String::new()) };
    let Ok(probabilities) = saved.model.to_probabilities(scores.clone()) else { return Ok(String::new()) };
    let labels = part.samples.labels();
    let right = |place: usize| probabilities.at(place, labels[place] as usize);
    let mut wrong: Vec<usize> = (0..labels.len()).filter(|&place| part.predicted[place] != labels[place]).collect();
    if wrong.is_empty() {
        return Ok(format!("<h2>Mistakes</h2>\n<p>None: all {} samples are classified right.</p>\n", part.name));
    }
    let all = wrong.len();
    wrong.sort_unstable_by(|&a, &b| right(a).total_cmp(&right(b)).then(a.cmp(&b)));
    wrong.truncate(MISTAKES);
    let name = |class: u32| escaped(&results.classes[class as usize]);
    let mut out = format!(
        "<h2>Mistakes</h2>\n<p>The {} {} samples that are classified worst, of {all} that are wrong</p>\n",
        wrong.len(),
        part.name
    );
    let features = part.samples.features_at(&wrong);
    match saved.image.filter(|image| image.rows.max(image.columns) <= SIDE) {
        Some(image) => {
            out.push_str("<div class=\"images\">\n");
            for (row, &place) in wrong.iter().enumerate() {
                let picture = pictures::sample(features.row(row), &image);
                let (is, taken) = (name(labels[place]), name(part.predicted[place]));
                let sure = probabilities.at(place, part.predicted[place] as usize);
                let _ = writeln!(
                    out,
                    "<figure><img alt=\"sample {place}\" title=\"sample {place}\" src=\"{picture}\">\
                     <figcaption>{is}, taken for {taken} ({:.0}\u{a0}%)</figcaption></figure>",
                    100.0 * sure
                );
            }
            out.push_str("</div>\n");
        }
        None => {
            out.push_str("<div class=\"scroll\"><table class=\"list\">\n<thead><tr><th>sample</th><th>is</th><th>taken for</th><th>with</th><th>right class with</th></tr></thead>\n<tbody>\n");
            for &place in &wrong {
                let sure = probabilities.at(place, part.predicted[place] as usize);
                let _ = writeln!(
                    out,
                    "<tr><td>{place}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                    name(labels[place]),
                    name(part.predicted[place]),
                    percent(sure),
                    percent(right(place))
                );
            }
            out.push_str("</tbody>\n</table></div>\n");
        }
    }
    Ok(out)
}

/// The columns of the first matrix that has a row for each feature, as images.
fn weights(saved: &Saved, image: ImageShape) -> String {
    if image.rows.max(image.columns) > SIDE {
        return String::new();
    }
    let first: Option<(&str, &Matrix)> =
        saved.model.parameters.named().find(|(_, matrix)| matrix.rows() == image.size() && matrix.columns() > 1);
    let Some((name, matrix)) = first else { return String::new() };
    let norm = |column: usize| (0..matrix.rows()).map(|row| matrix.at(row, column).powi(2)).sum::<f64>();
    let mut columns: Vec<usize> = (0..matrix.columns()).collect();
    columns.sort_unstable_by(|&a, &b| norm(b).total_cmp(&norm(a)).then(a.cmp(&b)));
    columns.truncate(UNITS);
    let which = match matrix.columns() > UNITS {
        true => format!("the {UNITS} largest of {} columns", matrix.columns()),
        false => format!("its {} columns", matrix.columns()),
    };
    let mut out = format!(
        "<h2>First weights</h2>\n<p>{} as images, {which}; blue is positive, red negative, each by its own largest \
         entry</p>\n<div class=\"images weights\">\n",
        escaped(name)
    );
    for column in columns {
        let entries: Vec<f64> = (0..matrix.rows()).map(|row| matrix.at(row, column)).collect();
        let picture = pictures::weights(&entries, &image);
        let _ = writeln!(out, "<img alt=\"column {0}\" title=\"column {0}\" src=\"{picture}\">", column + 1);
    }
    out.push_str("</div>\n");
    out
}

fn options(about: &About<'_>, saved: &Saved) -> String {
    let mut out = "<h2>Options</h2>\n<dl class=\"options\">\n".to_owned();
    for (name, value) in &saved.arguments {
        let (name, value) = match value.split_once('=').filter(|_| name == "set") {
            Some((name, value)) => (name, value.strip_suffix(".0").unwrap_or(value)),
            None => (name.as_str(), value.as_str()),
        };
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(&name.replace('-', " ")), escaped(value));
    }
    let _ = writeln!(
        out,
        "<div><dt>samples</dt><dd>{}</dd></div>\n<div><dt>matgrad</dt><dd>{}</dd></div>\n</dl>\n<p>The command that repeats \
         it:</p>\n<pre class=\"command\">{}</pre>",
        escaped(about.inputs.fingerprint()),
        env!("CARGO_PKG_VERSION"),
        saved.command.split(' ').map(|word| format!("<span>{}</span>", escaped(word))).collect::<Vec<_>>().join(" ")
    );
    out
}
