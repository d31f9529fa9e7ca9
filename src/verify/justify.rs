//! The rules that lead from one formula to another: all moves are made on both sides; where these meet, the moves that are
//! not needed are taken away one by one.

use super::entries;
use super::moves::{MOVES, Move, Mover};
use super::normal::{Normaliser, key};
use super::scope::Scope;
use crate::document::formula::{Formula, Kind};
use crate::functions::Function;
use crate::rules;

/// Larger formulas are not looked at.
const LARGEST: usize = 400;

/// A formula on the way from one side to the other, and the rules that lead to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Waypoint {
    /// The formula.
    pub formula: Formula,
    /// The rules by which it follows from the one before.
    pub rules: Vec<String>,
}

/// The names of the rules that lead from left to right; none where no short chain was found.
pub fn justify(scope: &Scope, moving: &[String], left: &Formula, right: &Formula) -> Vec<String> {
    if left.size() > LARGEST || right.size() > LARGEST || stands_on_large_ones(scope, left, right) {
        return Vec::new();
    }
    if let Some(rules) = gradient(scope, left, right) {
        return rules;
    }
    if let Some(mut found) = found(scope, moving, left, right) {
        return rules_of(&mut found, left, right);
    }
    if !moving.is_empty() {
        return Vec::new();
    }
    match entries::justify(scope, &opened(scope, left, right), left, right) {
        Some(rules) if rules.is_empty() => vec!["rearranged".to_owned()],
        rules => rules.unwrap_or_default(),
    }
}

/// Whether a definition below one of the sides is too large to be looked at.
fn stands_on_large_ones(scope: &Scope, left: &Formula, right: &Formula) -> bool {
    let names = [left.names(), right.names()].concat();
    let mut below = names.into_iter().flat_map(|name| scope.below(name));
    below.any(|name| scope.definitions.get(&name).is_some_and(|definition| definition.body.size() > LARGEST))
}

/// With what two sides meet.
struct Found {
    moves: Vec<Move>,
    mover: Mover,
}

/// First with each d on the right side as it stands, then with all that moves written out.
fn found(scope: &Scope, moving: &[String], left: &Formula, right: &Formula) -> Option<Found> {
    let mut atoms = moving.to_vec();
    right.visit(&mut |part| {
        if let Kind::Differential(inner) = &part.kind
            && let Some(name) = inner.as_name()
            && !atoms.iter().any(|known| known == name)
        {
            atoms.push(name.to_owned());
        }
    });
    let mut near = opened(scope, left, right);
    if let Kind::Differential(inner) = &left.kind
        && let Some(name) = inner.as_name()
        && scope.definitions.contains_key(name)
        && !near.iter().any(|known| known == name)
    {
        near.push(name.to_owned());
    }
    near.retain(|name| !atoms.contains(name));
    let depends =
        |name: &String| !moving.contains(name) && scope.below(name).iter().any(|below| moving.contains(below));
    let mut far = near.clone();
    for name in [left.names(), right.names()].concat() {
        for below in scope.below(name) {
            if scope.definitions.contains_key(&below) && depends(&below) && !far.contains(&below) {
                far.push(below);
            }
        }
    }
    let again = far != near || atoms != moving;
    // What stands on both sides is written out last of all: H H = H of a projection.
    let mut all = far.clone();
    for name in [left.names(), right.names()].concat() {
        let below = scope.below(name).into_iter().filter(|name| !moving.contains(name));
        all.extend(below.filter(|name| scope.definitions.contains_key(name)));
    }
    all.sort_unstable();
    all.dedup();
    let mut ways = vec![(atoms, near)];
    if again {
        ways.push((moving.to_vec(), far.clone()));
    }
    if all.len() > far.len() {
        ways.push((moving.to_vec(), all));
    }
    for (moving, opened) in ways {
        let mut mover = Mover::new(scope, &moving, &opened);
        if let Some(moves) = needed(&mut mover, left, right) {
            return Some(Found { moves, mover });
        }
    }
    None
}

/// ∂F/∂X = G is read off dF = tr(G'dX); a product of derivatives is the chain rule.
fn gradient(scope: &Scope, left: &Formula, right: &Formula) -> Option<Vec<String>> {
    let Kind::Derivative { of, by } = &left.kind else { return None };
    let derivatives = |part: &Formula| matches!(part.kind, Kind::Derivative { .. });
    if right.any(derivatives) {
        return is_chain_rule(scope, of, by, right).then(|| vec!["chain rule".to_owned()]);
    }
    if let Kind::Derivative { of: first, by: rows } = &of.kind {
        return second(scope, (first, rows, by), right);
    }
    let (moving, differential, pairing) = pairing(scope, left, right)?;
    let mut found = found(scope, &moving, &differential, &pairing)?;
    let mut rules = rules_of(&mut found, &differential, &pairing);
    rules.push(rules::READ_OFF.rule().statement.clone());
    Some(rules)
}

/// ∂²F/∂x∂y' = H of a number F is read off d(dF) = dx'H dy, where x moves in the inner d and y in the outer one.
fn second(scope: &Scope, (of, rows, columns): (&Formula, &Formula, &Formula), right: &Formula) -> Option<Vec<String>> {
    let (x, y) = (rows.as_name()?, columns.as_name()?);
    let normal = Normaliser::new(scope);
    let narrow = |name: &Formula| normal.is_scalar(name) || normal.ones(name) == (false, true);
    if !normal.is_scalar(of) || !narrow(rows) || !narrow(columns) {
        return None;
    }
    let below = of.names().into_iter().flat_map(|name| scope.below(name));
    let opened: Vec<String> = below.filter(|name| scope.definitions.contains_key(name)).collect();
    let mut mover = Mover::new(scope, &[x.to_owned()], &opened);
    let inner = mover.normal.normal(&Formula::differential(of.without_places()));
    let inner = mover.make(Move::Differentials, &inner);
    let whole = inner.any(|part| matches!(&part.kind, Kind::Differential(inner) if inner.as_name() != Some(x)));
    if whole || inner.size() > LARGEST {
        return None;
    }
    let d = |name: &str| Formula::differential(Formula::name(name));
    let form = Formula::new(Kind::Product(vec![d(x).transposed(), right.without_places(), d(y)]), right.span);
    let outer = Formula::differential(inner);
    let mut found = found(scope, &[y.to_owned()], &outer, &form)?;
    let mut rules = mover.used;
    for rule in rules_of(&mut found, &outer, &form) {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules.push("d(dF) = dx'H dy, so H is the second derivative".to_owned());
    Some(rules)
}

/// What moves, dF and tr(G'dX), where the left side is ∂F/∂X and the right side G.
pub fn pairing(scope: &Scope, left: &Formula, right: &Formula) -> Option<(Vec<String>, Formula, Formula)> {
    let Kind::Derivative { of, by } = &left.kind else { return None };
    let name = by.as_name()?;
    let form = scope.form_of(name)?;
    let differential = Formula::differential((**of).clone());
    let dx = Formula::differential(Formula::name(name));
    let normal = Normaliser::new(scope);
    let scalar = normal.is_scalar(of);
    let columns = (normal.ones(of), normal.ones(by)) == ((false, true), (false, true));
    if !scalar && !columns && !scope.is_scalar(form) {
        return None;
    }
    let pairing = if scope.is_scalar(form) || !scalar {
        Formula::new(Kind::Product(vec![right.clone(), dx]), right.span)
    } else {
        let product = Formula::new(Kind::Product(vec![right.clone().transposed(), dx]), right.span);
        Formula::call(Function::Trace, product)
    };
    Some((vec![name.to_owned()], differential, pairing))
}

/// ∂F/∂X by ∂F/∂Y or ∂Y/∂X, where Y lies between.
fn is_chain_rule(scope: &Scope, of: &Formula, by: &Formula, right: &Formula) -> bool {
    let base = |formula: &Formula| formula.names().first().map(|name| (*name).to_owned());
    let (Some(top), Some(bottom)) = (base(of), base(by)) else { return false };
    let below = |name: &str, other: &str| name != other && scope.below(name).iter().any(|known| known == other);
    right.any(|part| match &part.kind {
        Kind::Derivative { of, by } => match (base(of), base(by)) {
            (Some(of), Some(by)) if of == top => below(&of, &by) && below(&by, &bottom),
            (Some(of), Some(by)) if by == bottom => below(&of, &by) && below(&top, &of),
            _ => false,
        },
        _ => false,
    })
}

/// The moves without which the two sides do not meet; `None` where all moves together do not make them meet.
fn needed(mover: &mut Mover, left: &Formula, right: &Formula) -> Option<Vec<Move>> {
    let mut kept = meeting(mover, &MOVES, left, right)?;
    for by in kept.clone().into_iter().rev() {
        let without: Vec<Move> = kept.iter().copied().filter(|other| *other != by).collect();
        let (a, b) = (moved(mover, &without, left).0, moved(mover, &without, right).0);
        if key(&a) == key(&b) {
            kept = without;
        }
    }
    Some(kept)
}

/// Those of the moves that change something, where they make both sides meet; without [`Move::Functions`] where these hide
/// what the sides have in common.
fn meeting(mover: &mut Mover, moves: &[Move], left: &Formula, right: &Formula) -> Option<Vec<Move>> {
    let (a, changed_left) = moved(mover, moves, left);
    let (b, changed_right) = moved(mover, moves, right);
    let changed = |by: &Move| changed_left.contains(by) || changed_right.contains(by);
    if key(&a) == key(&b) {
        return Some(moves.iter().copied().filter(changed).collect());
    }
    if !changed(&Move::Functions) {
        return None;
    }
    let rest: Vec<Move> = moves.iter().copied().filter(|by| *by != Move::Functions).collect();
    meeting(mover, &rest, left, right)
}

/// The formula after some moves, and those of them that changed it.
fn moved(mover: &mut Mover, moves: &[Move], formula: &Formula) -> (Formula, Vec<Move>) {
    let mut out = mover.normal.normal(&formula.without_places());
    let mut changed = Vec::new();
    for &by in moves {
        let next = mover.make(by, &out);
        if next != out {
            changed.push(by);
            out = next;
        }
        if out.size() > 2 * LARGEST {
            break;
        }
    }
    (out, changed)
}

/// The definitions that stand on one side only, and what those stand on.
fn opened(scope: &Scope, left: &Formula, right: &Formula) -> Vec<String> {
    let (a, b) = (left.names(), right.names());
    let mut out: Vec<String> = Vec::new();
    let mut pending: Vec<String> = Vec::new();
    let one_sided = |x: &[&str], y: &[&str]| -> Vec<String> {
        x.iter()
            .filter(|name| !y.contains(name) && scope.definitions.contains_key(**name))
            .map(|name| (*name).to_owned())
            .collect()
    };
    pending.extend(one_sided(&a, &b));
    pending.extend(one_sided(&b, &a));
    while let Some(name) = pending.pop() {
        if out.contains(&name) {
            continue;
        }
        if let Some(definition) = scope.definitions.get(&name) {
            for inner in definition.body.names() {
                // A name that stands on both sides is as far as one goes.
                let common = a.contains(&inner) && b.contains(&inner);
                if scope.definitions.contains_key(inner) && !common && !(a.contains(&inner) || b.contains(&inner)) {
                    pending.push(inner.to_owned());
                }
            }
        }
        out.push(name);
    }
    out
}

fn rules_of(found: &mut Found, left: &Formula, right: &Formula) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |statement: String| {
        if !out.contains(&statement) {
            out.push(statement);
        }
    };
    for side in [left, right] {
        found.mover.used.clear();
        moved(&mut found.mover, &found.moves, side);
        std::mem::take(&mut found.mover.used).into_iter().for_each(&mut add);
    }
    for by in &found.moves {
        if let Some(statement) = statement_of(*by) {
            add(statement.to_owned());
        }
    }
    if out.is_empty() {
        out.push("rearranged".to_owned());
    }
    out
}

/// What a book states of a move; none of those that state their rules themselves.
fn statement_of(by: Move) -> Option<&'static str> {
    let of = |id: rules::RuleId| Some(id.rule().statement.as_str());
    match by {
        Move::Definitions | Move::Differentials | Move::Functions => None,
        Move::RowSums => of(rules::ROW_SUMS),
        Move::Ones => Some("rowsum(A) = A*ones, colsum(A) = ones'*A"),
        Move::Frobenius => of(rules::FROBENIUS),
        Move::Transposes => Some("(AB)' = B'A'"),
        Move::Expand => Some("A(B + C) = AB + AC"),
        Move::Exchange => of(rules::HADAMARD),
        Move::Scalar => of(rules::SCALAR),
        Move::Cyclic => of(rules::CYCLIC),
        Move::TraceOfTranspose => Some("tr(A) = tr(A')"),
        Move::Delta => Some("a sum with δ picks one term"),
        Move::Inverses => Some("inv(AB) = inv(B)inv(A), inv(A)A = I"),
        Move::Diagonals => Some("diag(x)*y = x .* y"),
        Move::Vec => of(rules::VEC_OF_PRODUCT),
        Move::TransposeOfNumber => Some("a = a' for a number a"),
    }
}

/// The way from left to right through the form in which both sides meet; `None` where none was found.
pub fn way(scope: &Scope, moving: &[String], left: &Formula, right: &Formula) -> Option<Vec<Waypoint>> {
    if stands_on_large_ones(scope, left, right) {
        return None;
    }
    let mut found = found(scope, moving, left, right)?;
    let mover = &mut found.mover;
    let mut sides: Vec<Vec<Waypoint>> = Vec::new();
    for side in [left, right] {
        let mut formula = mover.normal.normal(&side.without_places());
        let mut list = vec![Waypoint { formula: side.clone(), rules: Vec::new() }];
        for &by in &found.moves {
            mover.used.clear();
            let next = mover.make(by, &formula);
            if next == formula {
                continue;
            }
            let mut rules = std::mem::take(&mut mover.used);
            rules.extend(statement_of(by).map(str::to_owned));
            list.push(Waypoint { formula: next.clone(), rules });
            formula = next;
        }
        sides.push(list);
    }
    let back = sides.pop()?;
    let mut out = sides.pop()?;
    // Down from the common form: each waypoint by the rule that led away from it.
    let rules: Vec<Vec<String>> = back.iter().skip(1).map(|waypoint| waypoint.rules.clone()).collect();
    for (waypoint, rules) in back.into_iter().rev().skip(1).zip(rules.into_iter().rev()) {
        out.push(Waypoint { formula: waypoint.formula, rules });
    }
    let arrives = out.last().is_some_and(|last| key(&last.formula) == key(right));
    if !arrives {
        out.push(Waypoint { formula: right.clone(), rules: vec!["rearranged".to_owned()] });
    }
    out.dedup_by(|next, before| key(&next.formula) == key(&before.formula));
    Some(out)
}
