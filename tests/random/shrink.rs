//! A program that fails made smaller as long as it fails in the same way.

use super::tree::{Kind, Program, Tree};

/// The smallest program found for which `fails` holds still.
pub fn shrunk(program: &Program, fails: &mut dyn FnMut(&Program) -> bool) -> Program {
    let mut best = program.clone();
    let mut tries = 0;
    loop {
        let mut candidates = smaller(&best);
        candidates.retain(|p| p.size() < best.size() || p.size() == best.size() && simpler(p, &best));
        candidates.sort_by_key(Program::size);
        let mut found = None;
        for candidate in candidates {
            tries += 1;
            if tries > 3_000 {
                return best;
            }
            if fails(&candidate) {
                found = Some(candidate);
                break;
            }
        }
        match found {
            Some(candidate) => best = candidate,
            None => return best,
        }
    }
}

fn simpler(a: &Program, b: &Program) -> bool {
    a.variables.iter().map(|v| v.kind.len() + 9 * v.assumed.len()).sum::<usize>()
        < b.variables.iter().map(|v| v.kind.len() + 9 * v.assumed.len()).sum::<usize>()
}

fn smaller(program: &Program) -> Vec<Program> {
    let mut out = Vec::new();
    if program.asks.len() > 1 {
        for i in 0..program.asks.len() {
            let mut p = program.clone();
            p.asks.remove(i);
            out.push(p.swept());
        }
    }
    for (i, ask) in program.asks.iter().enumerate() {
        if ask.wrt.len() > 1 {
            for j in 0..ask.wrt.len() {
                let mut p = program.clone();
                p.asks[i].wrt.remove(j);
                out.push(p.swept());
            }
        }
        for tree in variants(&ask.of, program) {
            let mut p = program.clone();
            p.asks[i].of = tree;
            out.push(p.swept());
        }
    }
    for (i, (name, body)) in program.definitions.iter().enumerate() {
        for tree in variants(body, program) {
            let mut p = program.clone();
            p.definitions[i].1 = tree;
            out.push(p.swept());
        }
        // The definition written out.
        if !program.asks.iter().any(|a| a.wrt.contains(name)) {
            let mut p = program.clone();
            for (_, t) in &mut p.definitions {
                *t = with(t, name, body);
            }
            for a in &mut p.asks {
                a.of = with(&a.of, name, body);
            }
            p.definitions.remove(i);
            out.push(p.swept());
        }
    }
    for (i, variable) in program.variables.iter().enumerate() {
        if !variable.assumed.is_empty() {
            let mut p = program.clone();
            p.variables[i].assumed.clear();
            out.push(p);
        }
        let (rows, columns) = (&variable.shape.0, &variable.shape.1);
        if !rows.is_one() && !columns.is_one() && !variable.kind.starts_with("matrix") {
            let mut p = program.clone();
            p.variables[i].kind = format!("matrix({rows}, {columns})");
            p.variables[i].declared = true;
            out.push(p);
        }
    }
    out
}

fn with(tree: &Tree, name: &str, body: &Tree) -> Tree {
    if matches!(&tree.kind, Kind::Leaf(text) if text == name) {
        return body.clone();
    }
    Tree { operands: tree.operands.iter().map(|a| with(a, name, body)).collect(), ..tree.clone() }
}

/// The tree with one part replaced by something smaller of its shape.
fn variants(tree: &Tree, program: &Program) -> Vec<Tree> {
    let mut out = Vec::new();
    if !matches!(tree.kind, Kind::Leaf(_)) {
        // A part of it, its transpose too.
        tree.each(&mut |part| {
            if part.size() < tree.size() {
                if part.shape == tree.shape {
                    out.push(part.clone());
                } else if (&part.shape.1, &part.shape.0) == (&tree.shape.0, &tree.shape.1)
                    && part.size() + 1 < tree.size()
                {
                    out.push(part.clone().transposed("'"));
                }
            }
        });
        for variable in &program.variables {
            if variable.shape == tree.shape {
                out.push(Tree::leaf(variable.name.clone(), &tree.shape));
            }
        }
        if tree.shape.0.is_one() && tree.shape.1.is_one() {
            out.push(Tree::leaf("2", &tree.shape));
            tree.each(&mut |part| {
                if part.shape != tree.shape && part.size() + 1 < tree.size() {
                    out.push(Tree::call("sum", &tree.shape, vec![part.clone()]));
                }
            });
        } else {
            out.push(Tree::leaf(format!("ones({}, {})", tree.shape.0, tree.shape.1), &tree.shape));
        }
    }
    for (i, operand) in tree.operands.iter().enumerate() {
        for smaller in variants(operand, program) {
            let mut t = tree.clone();
            t.operands[i] = smaller;
            out.push(t);
        }
    }
    out
}
