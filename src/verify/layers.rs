//! One verdict for a general formula that was judged for each layer: right where it is right for all of them.

use super::judge::Verdict;
use super::report::{Judged, Report, Step};
use crate::document::layers::COUNT;
use crate::document::text::Document;

/// Puts the verdicts on the layers of a general formula together.
pub fn merge(document: &Document, report: &mut Report) {
    let Some(letter) = &document.layers else { return };
    let mut out: Vec<Judged> = Vec::with_capacity(report.lines.len());
    let mut group: Vec<(u32, Judged)> = Vec::new();
    let end = |group: &mut Vec<(u32, Judged)>, out: &mut Vec<Judged>| {
        out.extend(together(std::mem::take(group), letter));
    };
    for (line, judged) in document.lines.iter().zip(std::mem::take(&mut report.lines)) {
        let goes_on = group.last().is_some_and(|(number, last)| {
            line.layer.is_some_and(|layer| layer > *number) && last.span.start == judged.span.start
        });
        if !goes_on {
            end(&mut group, &mut out);
        }
        match line.layer {
            Some(layer) => group.push((layer, judged)),
            None => out.push(judged),
        }
    }
    end(&mut group, &mut out);
    report.lines = out;
    // What is not read is not read for any layer.
    report.skipped.dedup();
}

fn together(group: Vec<(u32, Judged)>, letter: &str) -> Option<Judged> {
    let span = group.first()?.1.span;
    let count = group[0].1.steps.len();
    let steps = (0..count).filter_map(|k| {
        let all: Vec<(u32, &Step)> = group.iter().filter_map(|(l, line)| Some((*l, line.steps.get(k)?))).collect();
        let first = |wanted: fn(&Verdict) -> bool| all.iter().find(|(_, step)| wanted(&step.verdict)).copied();
        let whole = first(|verdict| matches!(verdict, Verdict::Fails(_)))
            .or_else(|| first(|verdict| matches!(verdict, Verdict::Skipped(_))));
        let numbers: Vec<String> = all.iter().map(|(layer, _)| layer.to_string()).collect();
        let (told, layers) = match whole {
            Some((layer, step)) => (step.clone(), layer.to_string()),
            None => {
                let right = all.iter().rev().find(|(_, step)| matches!(step.verdict, Verdict::Holds(_)));
                let mut step = right.or(all.last())?.1.clone();
                if let Verdict::Defines(_) = step.verdict {
                    let names = all.iter().filter_map(|(_, step)| match &step.verdict {
                        Verdict::Defines(name) => Some(name.as_str()),
                        _ => None,
                    });
                    step.verdict = Verdict::Defines(names.collect::<Vec<_>>().join(", "));
                }
                (step, numbers.join(", "))
            }
        };
        Some(Step { layers: Some(format!("{letter} = {layers} of {COUNT} layers")), ..told })
    });
    Some(Judged { span, steps: steps.collect() })
}
