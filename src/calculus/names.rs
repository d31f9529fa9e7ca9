//! The user's names put back: where a definition's expression stands, its name does, so that P stays P.

use rustc_hash::FxHashMap as HashMap;

use crate::expr::substitute::rebuild;
use crate::expr::{Arena, ExprId, NameKind, NamedId, Op};
use crate::number::Number;

/// The definitions of an arena by what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By the whole expression.
    whole: HashMap<ExprId, ExprId>,
    /// Definitions that are a chain of factors, by the first of them: the factors and the name.
    chains: HashMap<ExprId, Vec<(Vec<ExprId>, ExprId)>>,
    /// Definitions s = x.^k, by x: k and s, so that x.^(3*k) is s.^3.
    powers: HashMap<ExprId, (Number, ExprId)>,
    /// How many named results of the arena were looked at.
    seen: usize,
    done: HashMap<ExprId, ExprId>,
}

impl Names {
    /// The expression with the names of definitions in it.
    pub fn put_into(&mut self, arena: &mut Arena, root: ExprId) -> ExprId {
        self.look(arena);
        if self.whole.is_empty() {
            return root;
        }
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            if self.done.contains_key(&id) {
                stack.pop();
                continue;
            }
            if let Some(&name) = self.whole.get(&id) {
                self.done.insert(id, name);
                stack.pop();
                continue;
            }
            let mut missing = false;
            arena.operands(id, |a| {
                if !self.done.contains_key(&a) {
                    missing = true;
                    stack.push(a);
                }
            });
            if missing {
                continue;
            }
            let built = rebuild(arena, id, &|a| self.done[&a]);
            let built = self.in_chain(arena, built);
            let built = self.as_power(arena, built);
            let built = self.whole.get(&built).copied().unwrap_or(built);
            self.done.insert(id, built);
            stack.pop();
        }
        self.done[&root]
    }

    /// Takes in the definitions that are new in the arena.
    fn look(&mut self, arena: &mut Arena) {
        let count = arena.all_named().len();
        if self.seen < count {
            self.done.clear();
        }
        for i in self.seen..count {
            let named = arena.named(NamedId(i as u32));
            let body = named.body;
            if named.kind != NameKind::Definition || !is_compound(arena, body) {
                continue;
            }
            let name = arena.named_node(i);
            if let Op::Power(base, exponent) = *arena.op(body)
                && let Op::Number(k) = *arena.op(exponent)
                && !k.is_one()
                && !k.is_negative()
            {
                self.powers.entry(base).or_insert((k, name));
            }
            let (body_turned, name_turned) = (arena.transpose(body), arena.transpose(name));
            for (body, name) in [(body, name), (body_turned, name_turned)] {
                self.whole.entry(body).or_insert(name);
                if let Op::Product { scalars, factors } = arena.op(body)
                    && scalars.is_empty()
                    && factors.len() > 1
                {
                    self.chains.entry(factors[0]).or_default().push((factors.to_vec(), name));
                }
            }
        }
        self.seen = count;
    }

    /// x.^j as s.^(j/k) for a definition s = x.^k, where j/k is an odd integer (an even one would hide x itself).
    fn as_power(&self, arena: &mut Arena, id: ExprId) -> ExprId {
        let Op::Power(base, exponent) = *arena.op(id) else { return id };
        let Op::Number(j) = *arena.op(exponent) else { return id };
        let Some(&(k, name)) = self.powers.get(&base) else { return id };
        match k.reciprocal().map(|inverse| j.times(inverse)) {
            Some(times) if times.as_integer().is_some_and(|times| times % 2 != 0) => {
                let exponent = arena.number(times);
                arena.power(name, exponent)
            }
            _ => id,
        }
    }

    /// A product with the factors of a definition in it.
    fn in_chain(&self, arena: &mut Arena, id: ExprId) -> ExprId {
        let Op::Product { scalars, factors } = arena.op(id).clone() else { return id };
        if !factors.iter().any(|f| self.chains.contains_key(f)) {
            return id;
        }
        let mut operands = scalars.to_vec();
        let mut changed = false;
        let mut i = 0;
        while i < factors.len() {
            let found = self.chains.get(&factors[i]).and_then(|list| {
                list.iter().filter(|(chain, _)| factors[i..].starts_with(chain)).max_by_key(|(chain, _)| chain.len())
            });
            match found {
                Some((chain, name)) => {
                    operands.push(*name);
                    i += chain.len();
                    changed = true;
                }
                None => {
                    operands.push(factors[i]);
                    i += 1;
                }
            }
        }
        if changed { arena.multiply(&operands) } else { id }
    }
}

fn is_compound(arena: &Arena, id: ExprId) -> bool {
    let (_, inner) = arena.coefficient(id);
    let leaf = |id: ExprId| {
        matches!(
            arena.op(id),
            Op::Number(_)
                | Op::Pi
                | Op::Euler
                | Op::Variable(_)
                | Op::Named(_)
                | Op::Dimension(_)
                | Op::Ones
                | Op::Identity
                | Op::Zeros
                | Op::Unit(_)
        )
    };
    match arena.op(inner) {
        Op::Transpose(a) => !leaf(*a),
        _ => !leaf(inner),
    }
}
