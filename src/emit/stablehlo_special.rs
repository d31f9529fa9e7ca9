//! What StableHLO has no operation for, as functions of the module that `main` calls, one for each size: the error function,
//! and what stands on singular values and cofactors. All are made of operations that every XLA backend has.

use matgrad_kernels::error_function::{
    LARGE_ABOVE, LARGE_BELOW, MIDDLE_ABOVE, MIDDLE_BELOW, ONE_OVER_ROOT_PI, SMALL_ABOVE, SMALL_BELOW,
};

use super::stablehlo::{Tile, Writer, kind};

/// Below it the first of Cody's approximations holds, above `FAR` the third, above `GONE` erfc is nothing.
const NEAR: f64 = 0.468_75;
const FAR: f64 = 4.0;
const GONE: f64 = 27.0;

impl Writer<'_> {
    /// erf(x) of each entry.
    pub(super) fn erf(&mut self, x: &Tile) -> Tile {
        self.of_entries("erf", x, |writer, x| {
            let axes = x.axes.clone();
            let size = writer.unary("abs", x);
            let near = writer.erf_near(x);
            let rest = writer.complement(&size);
            let (half, sign) = (writer.constant(0.5, &axes), writer.unary("sign", x));
            // 1/2 - erfc is exact, so that one rounding is left.
            let far = writer.binary("subtract", &half, &rest);
            let far = writer.binary("add", &far, &half);
            let far = writer.binary("multiply", &sign, &far);
            writer.where_below(&size, NEAR, &near, &far)
        })
    }

    /// x·erfc(-x/√2)/2 of each entry.
    pub(super) fn gelu(&mut self, x: &Tile) -> Tile {
        let axes = x.axes.clone();
        let factor = self.constant(-std::f64::consts::FRAC_1_SQRT_2, &axes);
        let scaled = self.binary("multiply", &factor, x);
        let erfc = self.of_entries("erfc", &scaled, |writer, x| {
            let axes = x.axes.clone();
            let size = writer.unary("abs", x);
            let (one, two) = (writer.constant(1.0, &axes), writer.constant(2.0, &axes));
            let near = writer.erf_near(x);
            let near = writer.binary("subtract", &one, &near);
            let right = writer.complement(&size);
            let left = writer.binary("subtract", &two, &right);
            let far = writer.where_positive(x, &right, &left);
            writer.where_below(&size, NEAR, &near, &far)
        });
        let half = self.constant(0.5, &axes);
        let halved = self.binary("multiply", &half, x);
        self.binary("multiply", &halved, &erfc)
    }

    /// A function of one array, entry by entry, and its call.
    fn of_entries(&mut self, name: &str, x: &Tile, write: impl FnOnce(&mut Self, &Tile) -> Tile) -> Tile {
        let sizes: Vec<String> = x.axes.iter().map(i64::to_string).collect();
        let name = if sizes.is_empty() { name.to_owned() } else { format!("{name}_{}", sizes.join("x")) };
        let of = kind(&x.axes);
        if !self.has_function(&name) {
            let outer = (std::mem::take(&mut self.body), std::mem::take(&mut self.count));
            let result = write(self, &Tile { name: "%x".to_owned(), axes: x.axes.clone() });
            let own = std::mem::take(&mut self.body);
            (self.body, self.count) = outer;
            let source = "W. J. Cody, Mathematics of Computation 23 (1969), 631-637";
            self.function(&name, || {
                format!(
                    "  // By the rational approximations of {source}.\n  func.func private @{name}(%x: {of}) -> {of} {{\n{own}    return {} : {of}\n  }}\n",
                    result.name
                )
            });
        }
        self.line(&format!("call @{name}({}) : ({of}) -> {of}", x.name), &x.axes)
    }

    /// x where an array is below a number, else y.
    fn where_below(&mut self, a: &Tile, limit: f64, x: &Tile, y: &Tile) -> Tile {
        let limit = self.constant(limit, &a.axes);
        let distance = self.binary("subtract", &limit, a);
        self.where_positive(&distance, x, y)
    }

    /// The quotient of two polynomials, coefficients in the order of Cody's scheme: the highest of the numerator is its last.
    fn quotient(&mut self, above: &[f64], below: &[f64], x: &Tile) -> Tile {
        let last = below.len() - 1;
        let highest = self.constant(above[last + 1], &x.axes);
        let (mut p, mut q) = (self.binary("multiply", &highest, x), x.clone());
        for i in 0..=last {
            let (a, b) = (self.constant(above[i], &x.axes), self.constant(below[i], &x.axes));
            (p, q) = (self.binary("add", &p, &a), self.binary("add", &q, &b));
            if i < last {
                (p, q) = (self.binary("multiply", &p, x), self.binary("multiply", &q, x));
            }
        }
        self.binary("divide", &p, &q)
    }

    /// erf(x) near 0.
    fn erf_near(&mut self, x: &Tile) -> Tile {
        let square = self.binary("multiply", x, x);
        let ratio = self.quotient(&SMALL_ABOVE, &SMALL_BELOW, &square);
        self.binary("multiply", x, &ratio)
    }

    /// erfc(y), y above `NEAR`.
    fn complement(&mut self, y: &Tile) -> Tile {
        let axes = y.axes.clone();
        let middle = self.quotient(&MIDDLE_ABOVE, &MIDDLE_BELOW, y);
        let (one, root) = (self.constant(1.0, &axes), self.constant(ONE_OVER_ROOT_PI, &axes));
        let square = self.binary("multiply", y, y);
        let z = self.binary("divide", &one, &square);
        let tail = self.quotient(&LARGE_ABOVE, &LARGE_BELOW, &z);
        let tail = self.binary("multiply", &z, &tail);
        let far = self.binary("subtract", &root, &tail);
        let far = self.binary("divide", &far, y);
        let scaled = self.where_below(y, FAR, &middle, &far);
        // exp(-y^2) as a product: the square of the head is exact.
        let sixteen = self.constant(16.0, &axes);
        let head = self.binary("multiply", y, &sixteen);
        let head = self.unary("floor", &head);
        let head = self.binary("divide", &head, &sixteen);
        let (less, more) = (self.binary("subtract", &head, y), self.binary("add", &head, y));
        let rest = self.binary("multiply", &less, &more);
        let whole = self.binary("multiply", &head, &head);
        let whole = self.unary("negate", &whole);
        let (whole, rest) = (self.unary("exponential", &whole), self.unary("exponential", &rest));
        let factor = self.binary("multiply", &whole, &rest);
        let value = self.binary("multiply", &factor, &scaled);
        let (none, gone) = (self.constant(0.0, &axes), self.constant(GONE, &axes));
        let beyond = self.binary("subtract", y, &gone);
        self.where_positive(&beyond, &none, &value)
    }

    /// A·V with orthogonal columns, and the orthogonal V.
    fn rotated(&mut self, a: &Tile) -> (Tile, Tile) {
        let (m, n) = (a.axes[0], a.axes[1]);
        self.function(&format!("rotated_{m}x{n}"), || rotations(m, n));
        let (w, v) = (kind(&[m, n]), kind(&[n, n]));
        let names = self.lines(&format!("call @rotated_{m}x{n}({}) : ({w}) -> ({w}, {v})", a.name), 2);
        (Tile { name: names[0].clone(), axes: vec![m, n] }, Tile { name: names[1].clone(), axes: vec![n, n] })
    }

    /// The Moore-Penrose inverse; singular values below max(m, n)·ε of the largest count as zero.
    pub(super) fn pseudo_inverse(&mut self, a: &Tile) -> Tile {
        let (m, n) = (a.axes[0], a.axes[1]);
        if m < n {
            let turned = self.transpose(a);
            let inverse = self.pseudo_inverse(&turned);
            return self.transpose(&inverse);
        }
        let (w, v) = self.rotated(a);
        let products = self.binary("multiply", &w, &w);
        let squares = self.reduce("add", 0.0, &products, &[0]);
        let values = self.unary("sqrt", &squares);
        let largest = self.reduce("maximum", 0.0, &values, &[0]);
        let share = self.constant(f64::EPSILON * m as f64, &[]);
        let cut = self.binary("multiply", &share, &largest);
        let cuts = self.broadcast(&cut, &[], &[n]);
        let above = self.binary("subtract", &values, &cuts);
        let (one, none) = (self.constant(1.0, &[n]), self.constant(0.0, &[n]));
        let inverses = self.binary("divide", &one, &squares);
        let inverses = self.where_positive(&above, &inverses, &none);
        let wide = self.broadcast(&inverses, &[1], &[n, n]);
        let scaled = self.binary("multiply", &v, &wide);
        self.dot(&scaled, &w, [1, 1])
    }

    /// The symmetric positive definite root of such a matrix, or its inverse; not a number for any other matrix.
    pub(super) fn root(&mut self, a: &Tile, inverse: bool) -> Tile {
        let n = a.axes[0];
        let (w, v) = self.rotated(a);
        let products = self.binary("multiply", &w, &w);
        let squares = self.reduce("add", 0.0, &products, &[0]);
        let sizes = self.unary("sqrt", &squares);
        let products = self.binary("multiply", &v, &w);
        let values = self.reduce("add", 0.0, &products, &[0]);
        // A column of A·V is λ·v with λ > 0, or the matrix is not positive definite: the root of -1 is not a number.
        let share = self.constant(0.999_999, &[n]);
        let least = self.binary("multiply", &share, &sizes);
        let surplus = self.binary("subtract", &values, &least);
        let minus = self.constant(-1.0, &[n]);
        let values = self.where_positive(&surplus, &values, &minus);
        let roots = self.unary(if inverse { "rsqrt" } else { "sqrt" }, &values);
        let wide = self.broadcast(&roots, &[1], &[n, n]);
        let scaled = self.binary("multiply", &v, &wide);
        self.dot(&scaled, &v, [1, 1])
    }

    /// The transposed matrix of cofactors, of a singular matrix too.
    pub(super) fn adjugate(&mut self, a: &Tile) -> Tile {
        let n = a.axes[0];
        // Writes the elimination that the function calls.
        let _ = self.determinant(a);
        self.function(&format!("adjugate_{n}"), || cofactors(n));
        let of = kind(&a.axes);
        self.line(&format!("call @adjugate_{n}({}) : ({of}) -> {of}", a.name), &a.axes)
    }
}

/// One-sided rotations of Jacobi (Golub and Van Loan, Matrix Computations, 8.6.3), until a whole sweep rotates nothing.
fn rotations(m: i64, n: i64) -> String {
    let k = m + n;
    let (a, v, x, column, part) = (kind(&[m, n]), kind(&[n, n]), kind(&[k, n]), kind(&[k, 1]), kind(&[m, 1]));
    let running = n > 1;
    let last = n - 1;
    let limit = 0.5 * f64::EPSILON;
    let wide = format!("dims = [0, 1] : (tensor<1x1xf64>) -> {column}");
    let along = format!("contracting_dims = [0] x [0] : ({part}, {part}) -> tensor<1x1xf64>");
    let own = "tensor<1x1xf64>";
    let places = "tensor<i32>, tensor<i32>";
    format!(
        "  // a v with orthogonal columns, and the orthogonal v, by one-sided rotations of Jacobi.
  func.func private @rotated_{m}x{n}(%a: {a}) -> ({a}, {v}) {{
    %zero = stablehlo.constant dense<0> : tensor<i32>
    %one = stablehlo.constant dense<1> : tensor<i32>
    %two = stablehlo.constant dense<2> : tensor<i32>
    %n = stablehlo.constant dense<{n}> : tensor<i32>
    %last = stablehlo.constant dense<{last}> : tensor<i32>
    %most = stablehlo.constant dense<60> : tensor<i32>
    %running = stablehlo.constant dense<{running}> : tensor<i1>
    %no = stablehlo.constant dense<false> : tensor<i1>
    %none = stablehlo.constant dense<0.0> : {own}
    %unit = stablehlo.constant dense<1.0> : {own}
    %minus = stablehlo.constant dense<-1.0> : {own}
    %twice = stablehlo.constant dense<2.0> : {own}
    %limit = stablehlo.constant dense<{limit:e}> : {own}
    %rows = stablehlo.iota dim = 0 : {v}
    %columns = stablehlo.iota dim = 1 : {v}
    %same = stablehlo.compare EQ, %rows, %columns, FLOAT : ({v}, {v}) -> tensor<{n}x{n}xi1>
    %identity = stablehlo.convert %same : (tensor<{n}x{n}xi1>) -> {v}
    %start = stablehlo.concatenate %a, %identity, dim = 0 : ({a}, {v}) -> {x}
    %out:6 = stablehlo.while(%p = %zero, %q = %one, %sweep = %zero, %go = %running, %any = %no, %x = %start) : tensor<i32>, tensor<i32>, tensor<i32>, tensor<i1>, tensor<i1>, {x}
    cond {{
      %left = stablehlo.compare LT, %sweep, %most, SIGNED : ({places}) -> tensor<i1>
      %more = stablehlo.and %left, %go : tensor<i1>
      stablehlo.return %more : tensor<i1>
    }} do {{
      %xp = stablehlo.dynamic_slice %x, %zero, %p, sizes = [{k}, 1] : ({x}, {places}) -> {column}
      %xq = stablehlo.dynamic_slice %x, %zero, %q, sizes = [{k}, 1] : ({x}, {places}) -> {column}
      %up = stablehlo.slice %xp [0:{m}, 0:1] : ({column}) -> {part}
      %uq = stablehlo.slice %xq [0:{m}, 0:1] : ({column}) -> {part}
      %pp = stablehlo.dot_general %up, %up, {along}
      %pq = stablehlo.dot_general %up, %uq, {along}
      %qq = stablehlo.dot_general %uq, %uq, {along}
      %rp = stablehlo.sqrt %pp : {own}
      %rq = stablehlo.sqrt %qq : {own}
      %rr = stablehlo.multiply %rp, %rq : {own}
      %cut = stablehlo.multiply %limit, %rr : {own}
      %size = stablehlo.abs %pq : {own}
      %needed = stablehlo.compare GT, %size, %cut, FLOAT : ({own}, {own}) -> tensor<1x1xi1>
      %difference = stablehlo.subtract %qq, %pp : {own}
      %double = stablehlo.multiply %twice, %pq : {own}
      %theta = stablehlo.divide %difference, %double : {own}
      %magnitude = stablehlo.abs %theta : {own}
      %square = stablehlo.multiply %theta, %theta : {own}
      %beside = stablehlo.add %unit, %square : {own}
      %root = stablehlo.sqrt %beside : {own}
      %divisor = stablehlo.add %magnitude, %root : {own}
      %upward = stablehlo.compare GE, %theta, %none, FLOAT : ({own}, {own}) -> tensor<1x1xi1>
      %sign = stablehlo.select %upward, %unit, %minus : tensor<1x1xi1>, {own}
      %tangent = stablehlo.divide %sign, %divisor : {own}
      %t = stablehlo.select %needed, %tangent, %none : tensor<1x1xi1>, {own}
      %tt = stablehlo.multiply %t, %t : {own}
      %beyond = stablehlo.add %unit, %tt : {own}
      %length = stablehlo.sqrt %beyond : {own}
      %c1 = stablehlo.divide %unit, %length : {own}
      %s1 = stablehlo.multiply %t, %c1 : {own}
      %c = stablehlo.broadcast_in_dim %c1, {wide}
      %s = stablehlo.broadcast_in_dim %s1, {wide}
      %cp = stablehlo.multiply %c, %xp : {column}
      %sq = stablehlo.multiply %s, %xq : {column}
      %sp = stablehlo.multiply %s, %xp : {column}
      %cq = stablehlo.multiply %c, %xq : {column}
      %yp = stablehlo.subtract %cp, %sq : {column}
      %yq = stablehlo.add %sp, %cq : {column}
      %x1 = stablehlo.dynamic_update_slice %x, %yp, %zero, %p : ({x}, {column}, {places}) -> {x}
      %x2 = stablehlo.dynamic_update_slice %x1, %yq, %zero, %q : ({x}, {column}, {places}) -> {x}
      %turned = stablehlo.reshape %needed : (tensor<1x1xi1>) -> tensor<i1>
      %any1 = stablehlo.or %any, %turned : tensor<i1>
      %p1 = stablehlo.add %p, %one : tensor<i32>
      %q1 = stablehlo.add %q, %one : tensor<i32>
      %q2 = stablehlo.add %p, %two : tensor<i32>
      %row_ends = stablehlo.compare EQ, %q1, %n, SIGNED : ({places}) -> tensor<i1>
      %p2 = stablehlo.select %row_ends, %p1, %p : tensor<i1>, tensor<i32>
      %q3 = stablehlo.select %row_ends, %q2, %q1 : tensor<i1>, tensor<i32>
      %ends = stablehlo.compare EQ, %p2, %last, SIGNED : ({places}) -> tensor<i1>
      %p3 = stablehlo.select %ends, %zero, %p2 : tensor<i1>, tensor<i32>
      %q4 = stablehlo.select %ends, %one, %q3 : tensor<i1>, tensor<i32>
      %sweep1 = stablehlo.add %sweep, %one : tensor<i32>
      %sweep2 = stablehlo.select %ends, %sweep1, %sweep : tensor<i1>, tensor<i32>
      %go1 = stablehlo.select %ends, %any1, %go : tensor<i1>, tensor<i1>
      %any2 = stablehlo.select %ends, %no, %any1 : tensor<i1>, tensor<i1>
      stablehlo.return %p3, %q4, %sweep2, %go1, %any2, %x2 : tensor<i32>, tensor<i32>, tensor<i32>, tensor<i1>, tensor<i1>, {x}
    }}
    %w = stablehlo.slice %out#5 [0:{m}, 0:{n}] : ({x}) -> {a}
    %v = stablehlo.slice %out#5 [{m}:{k}, 0:{n}] : ({x}) -> {v}
    return %w, %v : {a}, {v}
  }}
"
    )
}

/// Each cofactor is the determinant of the matrix with one row replaced by a row of the identity.
fn cofactors(n: i64) -> String {
    let (a, row, right) = (kind(&[n, n]), kind(&[1, n]), kind(&[n, 1]));
    let count = n * n;
    let places = "tensor<i32>, tensor<i32>";
    format!(
        "  // The transposed matrix of cofactors: each is the determinant of a with a row of the identity for one of its own.
  func.func private @adjugate_{n}(%a: {a}) -> {a} {{
    %zero = stablehlo.constant dense<0> : tensor<i32>
    %one = stablehlo.constant dense<1> : tensor<i32>
    %n = stablehlo.constant dense<{n}> : tensor<i32>
    %count = stablehlo.constant dense<{count}> : tensor<i32>
    %start = stablehlo.constant dense<0.0> : {a}
    %none = stablehlo.constant dense<0.0> : {right}
    %rows = stablehlo.iota dim = 0 : {a}
    %columns = stablehlo.iota dim = 1 : {a}
    %same = stablehlo.compare EQ, %rows, %columns, FLOAT : ({a}, {a}) -> tensor<{n}x{n}xi1>
    %identity = stablehlo.convert %same : (tensor<{n}x{n}xi1>) -> {a}
    %out:2 = stablehlo.while(%k = %zero, %x = %start) : tensor<i32>, {a}
    cond {{
      %more = stablehlo.compare LT, %k, %count, SIGNED : ({places}) -> tensor<i1>
      stablehlo.return %more : tensor<i1>
    }} do {{
      %i = stablehlo.divide %k, %n : tensor<i32>
      %j = stablehlo.remainder %k, %n : tensor<i32>
      %unit = stablehlo.dynamic_slice %identity, %j, %zero, sizes = [1, {n}] : ({a}, {places}) -> {row}
      %b = stablehlo.dynamic_update_slice %a, %unit, %i, %zero : ({a}, {row}, {places}) -> {a}
      %parts:4 = func.call @eliminate_{n}x1(%b, %none) : ({a}, {right}) -> ({right}, tensor<f64>, tensor<f64>, tensor<f64>)
      %cofactor = stablehlo.reshape %parts#2 : (tensor<f64>) -> tensor<1x1xf64>
      %x1 = stablehlo.dynamic_update_slice %x, %cofactor, %j, %i : ({a}, tensor<1x1xf64>, {places}) -> {a}
      %next = stablehlo.add %k, %one : tensor<i32>
      stablehlo.return %next, %x1 : tensor<i32>, {a}
    }}
    return %out#1 : {a}
  }}
"
    )
}
