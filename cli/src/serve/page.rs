//! What the page shows of a program: sections of HTML with their formulas, the names with their sizes, the graph. A derived
//! program comes in; the object that the page's script takes goes out.

use std::time::Duration;

use matgrad::render::graph::{Graph, Kind, graph};
use matgrad::render::html_sections;
use serde_json::{Value, json};

use super::program::{Derived, notes};

/// The object of the Derive tab and of the graph.
pub fn derivation(derived: &Derived, time: Duration) -> Value {
    let sections = html_sections(&derived.answer);
    let requests: Vec<Value> = sections
        .requests
        .iter()
        .map(|section| {
            json!({
                "title": section.title,
                "spoken": section.spoken,
                "meaning": section.meaning,
                "results": section.results,
                "language": section.language,
                "derivation": section.derivation,
                "notes": section.notes,
            })
        })
        .collect();
    json!({
        "given": sections.given,
        "requests": requests,
        "signs": sections.signs,
        "notes": notes(derived),
        "graph": drawn(&graph(&derived.answer)),
        "milliseconds": time.as_secs_f64() * 1e3,
    })
}

fn drawn(graph: &Graph) -> Value {
    let nodes: Vec<Value> = graph
        .nodes
        .iter()
        .map(|node| {
            let kind = match node.kind {
                Kind::Variable => "variable",
                Kind::Definition => "definition",
                Kind::Adjoint => "adjoint",
                Kind::Result => "result",
            };
            json!({
                "kind": kind,
                "name": node.name,
                "shape": node.shape,
                "size": node.size,
                "math": node.math,
                "formula": node.formula,
                "column": node.column,
            })
        })
        .collect();
    let edges: Vec<[usize; 2]> = graph.edges.iter().map(|edge| [edge.from, edge.to]).collect();
    json!({ "nodes": nodes, "edges": edges })
}
