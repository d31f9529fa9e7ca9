//! Random programs that are well typed, from a seed: every operator, every function, every type and property of the
//! language, with definitions, broadcasts and structured variables. Arguments are mostly, not always, kept in the domain.

use super::chance::Chance;
use super::tree::{Ask, Kind, Program, Shape, Size, Tree, Variable, transpose_sign};

/// Names of dimensions; each program takes some.
const DIMENSIONS: [&str; 6] = ["m", "n", "p", "q", "N", "D"];
const MATRICES: [&str; 12] = ["A", "B", "C", "F", "K", "M", "R", "S", "U", "Σ", "W₁", "X"];
const VECTORS: [&str; 8] = ["a", "b", "c", "u", "v", "w", "x", "y"];
const SCALARS: [&str; 8] = ["s", "t", "alpha", "beta", "λ", "μ₂", "theta1", "c0"];
const DEFINED: [&str; 6] = ["Z", "H", "E1", "r", "L2", "G"];

/// Names that results use too.
const STRANGE_DIMENSIONS: [&str; 5] = ["T1", "T", "G_A", "G_x", "D_f"];
const STRANGE_NAMES: [&str; 8] = ["T1", "T2", "G_A", "G_x", "D_f", "dA", "dx", "T"];

/// Functions of any real number, by elements.
pub const TOTAL: [&str; 19] = [
    "exp", "expm1", "abs", "sign", "sin", "cos", "atan", "sinh", "cosh", "tanh", "sigmoid", "softplus", "relu", "elu",
    "gelu", "silu", "erf", "step", "square",
];

/// Makes a program.
pub fn program(seed: u64) -> Program {
    let mut chance = Chance::new(seed);
    let count = 2 + chance.below(3);
    let from = chance.below(DIMENSIONS.len());
    let mut dims: Vec<&'static str> = (0..count).map(|i| DIMENSIONS[(from + i) % DIMENSIONS.len()]).collect();
    if chance.percent(2) {
        dims[0] = *chance.one_of(&STRANGE_DIMENSIONS);
    }
    let mut program = Program { dimensions: dims.iter().map(|&d| (d, None)).collect(), ..Program::default() };
    if chance.percent(10) {
        program.dimensions[0].1 = Some(1 + chance.below(4) as u64);
    }
    let mut maker = Maker { chance, dims, program };
    let definitions = match maker.chance.below(10) {
        0..4 => 0,
        4..7 => 1,
        7..9 => 2,
        _ => 3,
    };
    for i in 0..definitions {
        let shape = maker.shape();
        let budget = 2 + maker.chance.below(8);
        let body = maker.any(&shape, budget);
        if !matches!(body.kind, Kind::Leaf(_)) {
            let usual = format!("{}{}", DEFINED[maker.chance.below(DEFINED.len())], i);
            let name = if maker.chance.percent(4) { maker.free(&STRANGE_NAMES) } else { usual };
            maker.program.definitions.push((name, body));
        }
    }
    let most = match maker.chance.below(300) {
        0 => 1_000,
        1..45 => 40,
        _ => 14,
    };
    let budget = 3 + maker.chance.below(most);
    let mut of = maker.scalar_of_all(budget);
    if maker.chance.percent(25) && !matches!(of.kind, Kind::Leaf(_)) {
        let name = maker.chance.one_of(&["L", "loss", "f", "J"]).to_string();
        maker.program.definitions.push((name.clone(), of));
        of = Tree::leaf(name, &(Size::One, Size::One));
    }
    maker.ask(of);
    if maker.chance.percent(25) {
        let budget = 2 + maker.chance.below(8);
        let other = match maker.chance.below(3) {
            0 => maker.program.asks[0].of.clone(),
            _ => maker.scalar_of_all(budget),
        };
        maker.ask(other);
    }
    maker.program = maker.program.swept();
    maker.declare();
    maker.program
}

/// Makes one program.
pub struct Maker {
    pub chance: Chance,
    pub dims: Vec<&'static str>,
    pub program: Program,
}

/// 1×1.
pub fn scalar_shape() -> Shape {
    (Size::One, Size::One)
}

impl Maker {
    pub fn name(&mut self) -> &'static str {
        *self.chance.one_of(&self.dims)
    }

    pub fn base(&mut self) -> Size {
        Size::Name(self.name())
    }

    /// A shape for a definition or an inner part.
    pub fn shape(&mut self) -> Shape {
        let n = self.base();
        match self.chance.below(12) {
            0..3 => scalar_shape(),
            3..5 => (n, Size::One),
            5 => (Size::One, n),
            6..8 => (n.clone(), n),
            8 => {
                let (a, b) = (self.name(), self.name());
                let wide = if self.chance.percent(50) { Size::sum(a, b) } else { Size::product(a, b) };
                if self.chance.percent(50) { (wide, n) } else { (wide, Size::One) }
            }
            9 => {
                let a = self.name();
                (Size::Triangle(a), Size::One)
            }
            _ => (n, self.base()),
        }
    }

    pub fn two(&mut self, budget: usize) -> (usize, usize) {
        let left = self.chance.below(budget.max(1));
        (left, budget.saturating_sub(left + 1))
    }

    pub fn infix(&mut self, operator: &'static str, shape: &Shape, a: Tree, b: Tree) -> Tree {
        let shown = match operator {
            ".*" if self.chance.percent(5) => "⊙",
            "./" if self.chance.percent(5) => "⊘",
            "*" if self.chance.percent(3) => "·",
            other => other,
        };
        Tree::infix(shown, shape, a, b)
    }

    pub fn number(&mut self) -> Tree {
        const USUAL: [&str; 12] = ["2", "3", "0.5", "1", "4", "1.5", "0.1", "0.25", "1e-1", "10", ".5", "5"];
        const SELDOM: [&str; 8] = ["0.333", "12.5e-1", "1e-12", "3.14159265358979", "25", "0.0625", "7.0", "2.5e1"];
        let text = if self.chance.percent(5) { *self.chance.one_of(&SELDOM) } else { *self.chance.one_of(&USUAL) };
        Tree::leaf(text, &scalar_shape())
    }

    // ---- leaves -------------------------------------------------------------------------------------------------

    /// A variable of that shape with one of these kinds of types, there already or new.
    pub fn variable(&mut self, shape: &Shape, kinds: &[&'static str], assumed: &[&'static str]) -> Tree {
        let base = |kind: &str| kind.split('(').next().unwrap_or_default().to_owned();
        let fits = |v: &&Variable| {
            v.shape == *shape && kinds.contains(&&*base(&v.kind)) && assumed.iter().all(|a| v.assumed.contains(a))
        };
        let there: Vec<String> = self.program.variables.iter().filter(fits).map(|v| v.name.clone()).collect();
        let full = self.program.variables.len() >= 6;
        if !there.is_empty() && (full || self.chance.percent(60)) {
            return Tree::leaf(self.chance.one_of(&there).clone(), shape);
        }
        let kind = *self.chance.one_of(kinds);
        let (rows, columns) = (&shape.0, &shape.1);
        let (text, names): (String, &[&str]) = match kind {
            "scalar" => ("scalar".to_owned(), &SCALARS),
            "vector" => (format!("vector({rows})"), &VECTORS),
            "row" => (format!("row({columns})"), &VECTORS),
            "matrix" | "onehot" | "rowstochastic" => (format!("{kind}({rows}, {columns})"), &MATRICES),
            _ => (format!("{kind}({rows})"), &MATRICES),
        };
        let name = self.free(names);
        let mut assumed = assumed.to_vec();
        let mut text = text;
        if names == MATRICES && kind != "matrix" && self.chance.percent(10) {
            // The property apart from the type.
            text = format!("matrix({rows}, {columns})");
            assumed.push(kind);
        }
        let variable = Variable { name: name.clone(), shape: shape.clone(), kind: text, assumed, declared: true };
        self.program.variables.push(variable);
        Tree::leaf(name, shape)
    }

    pub fn free(&mut self, names: &[&str]) -> String {
        let names = if self.chance.percent(2) { &STRANGE_NAMES } else { names };
        let from = self.chance.below(names.len());
        let taken = |name: &str| {
            self.program.variables.iter().any(|v| v.name == name)
                || self.program.definitions.iter().any(|(n, _)| n == name)
                || self.dims.contains(&name)
        };
        (0..names.len())
            .map(|i| names[(from + i) % names.len()].to_owned())
            .find(|name| !taken(name))
            .unwrap_or_else(|| format!("{}_{}", names[from], self.program.variables.len()))
    }

    pub fn plain(&mut self, shape: &Shape) -> Tree {
        let kind: &[&'static str] = match (shape.0.is_one(), shape.1.is_one()) {
            (true, true) => &["scalar"],
            (false, true) => &["vector"],
            (true, false) => &["row"],
            (false, false) => &["matrix"],
        };
        let assumed: &[&'static str] = match self.chance.below(16) {
            0 => &["positive"],
            1 => &["nonnegative"],
            2 if shape.0 == shape.1 && !shape.0.is_one() => &["invertible"],
            3 if self.chance.percent(30) => &["constant"],
            _ => &[],
        };
        self.variable(shape, kind, assumed)
    }

    pub fn leaf(&mut self, shape: &Shape) -> Tree {
        let (r, c) = (&shape.0, &shape.1);
        let definitions: Vec<String> =
            self.program.definitions.iter().filter(|(_, t)| t.shape == *shape).map(|(n, _)| n.clone()).collect();
        if !definitions.is_empty() && self.chance.percent(50) {
            return Tree::leaf(self.chance.one_of(&definitions).clone(), shape);
        }
        let square = r == c && !r.is_one();
        match self.chance.below(20) {
            0 if shape == &scalar_shape() => {
                let name = self.name();
                Tree::leaf(name, shape)
            }
            1 if shape == &scalar_shape() => Tree::leaf(*self.chance.one_of(&["pi", "e"]), shape),
            2 | 3 if shape == &scalar_shape() => self.number(),
            0 if square => Tree::leaf(format!("eye({r})"), shape),
            0 if c.is_one() => {
                let text = match self.chance.below(4) {
                    0 => format!("ones({r})"),
                    1 => format!("onevec({r})"),
                    2 if self.program.dimensions.iter().all(|d| d.1 != Some(1)) => {
                        format!("unit({r}, {})", 1 + self.chance.below(2))
                    }
                    _ => format!("ones({r}, 1)"),
                };
                Tree::leaf(text, shape)
            }
            1 if shape != &scalar_shape() => Tree::leaf(format!("ones({r}, {c})"), shape),
            2 if shape != &scalar_shape() && self.chance.percent(30) => Tree::leaf(format!("zeros({r}, {c})"), shape),
            3..5 if !r.is_one() && !c.is_one() => {
                let sign = transpose_sign(&mut self.chance);
                let turned = (c.clone(), r.clone());
                self.plain(&turned).transposed(sign)
            }
            5 if !r.is_one() && !c.is_one() => self.variable(shape, &["onehot", "rowstochastic"], &[]),
            6..10 if square => {
                let kinds = ["symmetric", "skew", "diagonal", "orthogonal", "posdef", "invertible"];
                let kind = *self.chance.one_of(&kinds);
                let assumed: &[&'static str] = match kind {
                    "symmetric" if self.chance.percent(20) => &["positive"],
                    "diagonal" if self.chance.percent(20) => &["invertible"],
                    "diagonal" if self.chance.percent(20) => &["nonnegative"],
                    "symmetric" if self.chance.percent(10) => &["orthogonal"],
                    _ => &[],
                };
                self.variable(shape, &[kind], assumed)
            }
            _ => self.plain(shape),
        }
    }

    // ---- requests -----------------------------------------------------------------------------------------------

    pub fn ask(&mut self, of: Tree) {
        let mut names: Vec<String> = self.program.variables.iter().map(|v| v.name.clone()).collect();
        if names.is_empty() {
            // Something must move.
            self.plain(&scalar_shape());
            names = self.program.variables.iter().map(|v| v.name.clone()).collect();
        }
        let used: Vec<String> = names.iter().filter(|n| self.program.mentions(n) || of.mentions(n)).cloned().collect();
        let pool = if used.is_empty() { names } else { used };
        let mut wrt: Vec<String> = Vec::new();
        for _ in 0..1 + self.chance.below(3) {
            let name = self.chance.one_of(&pool).clone();
            if !wrt.contains(&name) {
                wrt.push(name);
            }
        }
        let differential = self.chance.percent(15);
        if differential {
            let wrt = if self.chance.percent(50) { Vec::new() } else { wrt };
            self.program.asks.push(Ask { gradient: false, of, wrt });
            return;
        }
        let own = |t: &Tree| matches!(&t.kind, Kind::Leaf(_)).then(|| t.text(super::tree::Brackets::All));
        let itself = own(&of);
        let definitions: Vec<String> = self.program.definitions.iter().map(|(n, _)| n.clone()).collect();
        let others: Vec<String> = definitions.into_iter().filter(|n| Some(n) != itself.as_ref()).collect();
        if !others.is_empty() && self.chance.percent(25) {
            // A definition that is asked for is independent.
            let definition = self.chance.one_of(&others).clone();
            if self.chance.percent(30) {
                wrt.insert(0, definition);
            } else {
                wrt = vec![definition];
            }
        }
        self.program.asks.push(Ask { gradient: true, of, wrt });
    }

    /// Which names are declared: now and then a type follows from the name.
    pub fn declare(&mut self) {
        let usual = |v: &Variable| {
            let base = v.kind.split('(').next().unwrap_or_default();
            let first = v.name.chars().next().unwrap_or('a');
            match base {
                "matrix" => first.is_uppercase(),
                "vector" => first.is_lowercase(),
                "scalar" => matches!(&*v.name, "alpha" | "beta" | "λ" | "μ₂" | "theta1"),
                _ => false,
            }
        };
        if self.chance.percent(20) {
            for variable in &mut self.program.variables {
                let used = self.program.definitions.iter().any(|(_, t)| t.mentions(&variable.name))
                    || self.program.asks.iter().any(|a| a.of.mentions(&variable.name));
                if used && usual(variable) && self.chance.percent(30) {
                    variable.declared = false;
                }
            }
        }
    }
}

impl Tree {
    /// Now and then another spelling of the same function.
    pub fn turned(mut self, maker: &mut Maker) -> Tree {
        if let Kind::Call(function, _) = &mut self.kind
            && *function == "atan"
            && maker.chance.percent(50)
        {
            *function = "arctan";
        }
        self
    }
}
