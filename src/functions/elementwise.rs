//! Functions by entries.

use super::Function as F;
use super::Signature as S;
use super::{Entry, FORM, Form, row};

/// In the order of [`F`]. Function, name, title, signature, differential, forms in other languages.
#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    row(F::Exp, "exp", "exponential", S::Elementwise, "F .* dX", &[
        Form {
            numpy: "np.exp($0)", torch: "torch.exp($0)", jax: "jnp.exp($0)", julia: "exp$.($0)", matlab: "exp($0)", c: "exp",
            rust: "f64::exp", stablehlo: "exponential($0)", python: "math.exp($0)", ..FORM
        },
    ]),
    row(F::Log, "log", "natural logarithm", S::Elementwise, "dX ./ X", &[
        Form {
            numpy: "np.log($0)", torch: "torch.log($0)", jax: "jnp.log($0)", julia: "log$.($0)", matlab: "log($0)", c: "log",
            rust: "f64::ln", stablehlo: "log($0)", python: "math.log($0)", ..FORM
        },
    ]),
    row(F::Log1p, "log1p", "log(1 + x)", S::Elementwise, "dX ./ (1 + X)", &[
        Form {
            numpy: "np.log1p($0)", torch: "torch.log1p($0)", jax: "jnp.log1p($0)", julia: "log1p$.($0)", matlab: "log1p($0)",
            c: "log1p", rust: "f64::ln_1p", stablehlo: "log_plus_one($0)", python: "math.log1p($0)", ..FORM
        },
    ]),
    row(F::Expm1, "expm1", "exp(x) - 1", S::Elementwise, "exp(X) .* dX", &[
        Form {
            numpy: "np.expm1($0)", torch: "torch.expm1($0)", jax: "jnp.expm1($0)", julia: "expm1$.($0)", matlab: "expm1($0)",
            c: "expm1", rust: "f64::exp_m1", stablehlo: "exponential_minus_one($0)", python: "math.expm1($0)", ..FORM
        },
    ]),
    row(F::Sqrt, "sqrt", "square root", S::Elementwise, "0.5*dX ./ F", &[
        Form {
            numpy: "np.sqrt($0)", torch: "torch.sqrt($0)", jax: "jnp.sqrt($0)", julia: "sqrt$.($0)", matlab: "sqrt($0)",
            c: "sqrt", rust: "f64::sqrt", stablehlo: "sqrt($0)", python: "math.sqrt($0)", ..FORM
        },
    ]),
    row(F::Abs, "abs", "absolute value", S::Elementwise, "sign(X) .* dX", &[
        Form {
            numpy: "np.abs($0)", torch: "torch.abs($0)", jax: "jnp.abs($0)", julia: "abs$.($0)", matlab: "abs($0)", c: "fabs",
            rust: "f64::abs", stablehlo: "abs($0)", python: "abs($0)", ..FORM
        },
    ]),
    row(F::Sign, "sign", "sign", S::Elementwise, "0", &[
        Form {
            numpy: "np.sign($0)", torch: "torch.sign($0)", jax: "jnp.sign($0)", julia: "sign$.($0)", matlab: "sign($0)",
            c: "mg_sign", rust: "mg_sign", stablehlo: "sign($0)",
            python: "+(@0 > 0) - (@0 < 0)", ..FORM
        },
        Form {
            name: "mg_sign", c: "static double mg_sign(double x) { return (x > 0.0) - (x < 0.0); }\n",
            rust: "fn mg_sign(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { 0.0 * x }
}
",
            ..FORM
        },
    ]),
    row(F::Sin, "sin", "sine", S::Elementwise, "cos(X) .* dX", &[
        Form {
            numpy: "np.sin($0)", torch: "torch.sin($0)", jax: "jnp.sin($0)", julia: "sin$.($0)", matlab: "sin($0)", c: "sin",
            rust: "f64::sin", stablehlo: "sine($0)", python: "math.sin($0)", ..FORM
        },
    ]),
    row(F::Cos, "cos", "cosine", S::Elementwise, "-sin(X) .* dX", &[
        Form {
            numpy: "np.cos($0)", torch: "torch.cos($0)", jax: "jnp.cos($0)", julia: "cos$.($0)", matlab: "cos($0)", c: "cos",
            rust: "f64::cos", stablehlo: "cosine($0)", python: "math.cos($0)", ..FORM
        },
    ]),
    row(F::Tan, "tan", "tangent", S::Elementwise, "(1 + F.^2) .* dX", &[
        Form {
            numpy: "np.tan($0)", torch: "torch.tan($0)", jax: "jnp.tan($0)", julia: "tan$.($0)", matlab: "tan($0)", c: "tan",
            rust: "f64::tan", stablehlo: "tan($0)", python: "math.tan($0)", ..FORM
        },
    ]),
    row(F::Asin, "asin", "inverse sine", S::Elementwise, "dX ./ sqrt(1 - X.^2)", &[
        Form {
            numpy: "np.arcsin($0)", torch: "torch.asin($0)", jax: "jnp.arcsin($0)", julia: "asin$.($0)", matlab: "asin($0)",
            c: "asin", rust: "f64::asin", stablehlo: "atan2($0, sqrt(subtract(1, multiply($0, $0))))", python: "math.asin($0)",
            ..FORM
        },
    ]),
    row(F::Acos, "acos", "inverse cosine", S::Elementwise, "-dX ./ sqrt(1 - X.^2)", &[
        Form {
            numpy: "np.arccos($0)", torch: "torch.acos($0)", jax: "jnp.arccos($0)", julia: "acos$.($0)", matlab: "acos($0)",
            c: "acos", rust: "f64::acos", stablehlo: "atan2(sqrt(subtract(1, multiply($0, $0))), $0)", python: "math.acos($0)",
            ..FORM
        },
    ]),
    row(F::Atan, "atan", "inverse tangent", S::Elementwise, "dX ./ (1 + X.^2)", &[
        Form {
            numpy: "np.arctan($0)", torch: "torch.atan($0)", jax: "jnp.arctan($0)", julia: "atan$.($0)", matlab: "atan($0)",
            c: "atan", rust: "f64::atan", stablehlo: "atan2($0, 1)", python: "math.atan($0)", ..FORM
        },
    ]),
    row(F::Sinh, "sinh", "hyperbolic sine", S::Elementwise, "cosh(X) .* dX", &[
        Form {
            numpy: "np.sinh($0)", torch: "torch.sinh($0)", jax: "jnp.sinh($0)", julia: "sinh$.($0)", matlab: "sinh($0)",
            c: "sinh", rust: "f64::sinh",
            stablehlo: "multiply(0.5, subtract(exponential_minus_one($0), exponential_minus_one(negate($0))))",
            python: "math.sinh($0)", ..FORM
        },
    ]),
    row(F::Cosh, "cosh", "hyperbolic cosine", S::Elementwise, "sinh(X) .* dX", &[
        Form {
            numpy: "np.cosh($0)", torch: "torch.cosh($0)", jax: "jnp.cosh($0)", julia: "cosh$.($0)", matlab: "cosh($0)",
            c: "cosh", rust: "f64::cosh",
            stablehlo: "add(multiply(0.5, add(exponential_minus_one($0), exponential_minus_one(negate($0)))), 1)",
            python: "math.cosh($0)", ..FORM
        },
    ]),
    row(F::Tanh, "tanh", "hyperbolic tangent", S::Elementwise, "(1 - F.^2) .* dX", &[
        Form {
            numpy: "np.tanh($0)", torch: "torch.tanh($0)", jax: "jnp.tanh($0)", julia: "tanh$.($0)", matlab: "tanh($0)",
            c: "tanh", rust: "f64::tanh", stablehlo: "tanh($0)", python: "math.tanh($0)", ..FORM
        },
    ]),
    row(F::Sigmoid, "sigmoid", "logistic function", S::Elementwise, "F .* (1 - F) .* dX", &[
        Form {
            numpy: "special.expit($0)", torch: "torch.sigmoid($0)", jax: "jax.nn.sigmoid($0)", julia: "_sigmoid$.($0)",
            matlab: "*1 ./ (1 + exp(-@0))", c: "mg_sigmoid", rust: "mg_sigmoid", stablehlo: "logistic($0)",
            python: "*math.exp(min($0, 0)) / (1 + math.exp(-abs($0)))", ..FORM
        },
        Form { name: "_sigmoid", julia: "_sigmoid(x) = (e = exp(-abs(x)); (x >= 0 ? one(e) : e) / (1 + e))\n", ..FORM },
        Form {
            name: "mg_sigmoid",
            c: "static double mg_sigmoid(double x)
{
    const double e = exp(-fabs(x));
    return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}
",
            rust: "fn mg_sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}
",
            ..FORM
        },
    ]),
    row(F::Softplus, "softplus", "log(1 + exp(x))", S::Elementwise, "sigmoid(X) .* dX", &[
        Form {
            numpy: "np.logaddexp(0, $0)", torch: "-F.logsigmoid(-@0)", jax: "jax.nn.softplus($0)", julia: "_softplus$.($0)",
            matlab: "+max($0, 0) + log1p(exp(-abs($0)))", c: "mg_softplus", rust: "mg_softplus",
            stablehlo: "add(maximum($0, 0), log_plus_one(exponential(negate(abs($0)))))",
            python: "+max($0, 0) + math.log1p(math.exp(-abs($0)))", ..FORM
        },
        Form { name: "_softplus", julia: "_softplus(x) = max(x, 0) + log1p(exp(-abs(x)))\n", ..FORM },
        Form {
            name: "mg_softplus",
            c: "static double mg_softplus(double x) { return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))); }\n",
            rust: "fn mg_softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
",
            ..FORM
        },
    ]),
    row(F::Relu, "relu", "rectified linear unit", S::Elementwise, "(X > 0) .* dX", &[
        Form {
            numpy: "np.maximum($0, 0)", torch: "torch.relu($0)", jax: "jax.nn.relu($0)", julia: "max$.($0, 0)",
            matlab: "max($0, 0)", c: "mg_relu", rust: "mg_relu", stablehlo: "maximum($0, 0)",
            python: "max($0, 0)", ..FORM
        },
        Form {
            name: "mg_relu", c: "static double mg_relu(double x) { return x > 0.0 ? x : 0.0; }\n",
            rust: "fn mg_relu(x: f64) -> f64 {
    if x > 0.0 { x } else { 0.0 }
}
",
            ..FORM
        },
    ]),
    row(F::Elu, "elu", "exponential linear unit", S::Elementwise, "exp(min(X, 0)) .* dX", &[
        Form {
            numpy: "+np.maximum($0, 0) + np.expm1(np.minimum($0, 0))", torch: "F.elu($0)", jax: "jax.nn.elu($0)",
            julia: "_elu$.($0)", matlab: "+max($0, 0) + expm1(min($0, 0))", c: "mg_elu", rust: "mg_elu",
            stablehlo: "where_positive($0, $0, exponential_minus_one($0))",
            python: "+max($0, 0) + math.expm1(min($0, 0))", ..FORM
        },
        Form { name: "_elu", julia: "_elu(x) = x > 0 ? x : expm1(x)\n", ..FORM },
        Form {
            name: "mg_elu", c: "static double mg_elu(double x) { return x > 0.0 ? x : expm1(x); }\n",
            rust: "fn mg_elu(x: f64) -> f64 {
    if x > 0.0 { x } else { x.exp_m1() }
}
",
            ..FORM
        },
    ]),
    row(F::Gelu, "gelu", "Gaussian error linear unit", S::Elementwise, "(0.5*(1 + erf(X/sqrt(2))) + X .* exp(-0.5*X.^2)/sqrt(2*pi)) .* dX", &[
        Form {
            numpy: "*@0 * special.ndtr($0)", torch: "F.gelu($0)", jax: "jax.nn.gelu($0, approximate=False)",
            julia: "_gelu$.($0)", matlab: "*0.5 * @0 .* erfc(-@0 / sqrt(2))", c: "mg_gelu", rust: "mg_gelu",
            stablehlo: "gelu($0)",
            python: "*0.5 * @0 * math.erfc(-@0 / math.sqrt(2))", ..FORM
        },
        Form { name: "_gelu", julia: "_gelu(x) = x * erfc(-x / sqrt(2)) / 2\n", ..FORM },
        Form {
            name: "mg_gelu", c: "static double mg_gelu(double x) { return 0.5 * x * erfc(-x * 0.70710678118654752440); }\n",
            rust: "fn mg_gelu(x: f64) -> f64 {
    0.5 * x * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}
",
            ..FORM
        },
    ]),
    row(F::Silu, "silu", "sigmoid linear unit", S::Elementwise, "sigmoid(X) .* (1 + X .* (1 - sigmoid(X))) .* dX", &[
        Form {
            numpy: "*@0 * special.expit($0)", torch: "F.silu($0)", jax: "jax.nn.silu($0)", julia: "_silu$.($0)",
            matlab: "*@0 ./ (1 + exp(-@0))", c: "mg_silu", rust: "mg_silu", stablehlo: "multiply($0, logistic($0))",
            python: "*@0 * math.exp(min($0, 0)) / (1 + math.exp(-abs($0)))", ..FORM
        },
        Form { name: "_silu", julia: "_silu(x) = x * _sigmoid(x)\n", ..FORM },
        Form {
            name: "mg_silu",
            c: "static double mg_silu(double x) { return x >= 0.0 ? x / (1.0 + exp(-x)) : x * exp(x) / (1.0 + exp(x)); }\n",
            rust: "fn mg_silu(x: f64) -> f64 {
    if x >= 0.0 { x / (1.0 + (-x).exp()) } else { x * x.exp() / (1.0 + x.exp()) }
}
",
            ..FORM
        },
    ]),
    row(F::Erf, "erf", "error function", S::Elementwise, "2/sqrt(pi)*exp(-X.^2) .* dX", &[
        Form {
            numpy: "special.erf($0)", torch: "torch.erf($0)", jax: "jax.scipy.special.erf($0)", julia: "erf$.($0)",
            matlab: "erf($0)", c: "erf", rust: "erf", stablehlo: "erf($0)", python: "math.erf($0)", ..FORM
        },
    ]),
    row(F::Step, "step", "Heaviside step, 0 at 0", S::Elementwise, "0", &[
        Form {
            numpy: "np.heaviside($0, 0)", torch: "(@0 > 0).to($like.dtype)", jax: "(@0 > 0).astype($like.dtype)",
            julia: "_step$.($0)", matlab: "double(@0 > 0)", c: "mg_step", rust: "mg_step", stablehlo: "positive($0)",
            python: "float(@0 > 0)", ..FORM
        },
        Form { name: "_step", julia: "_step(x) = x > 0 ? one(x) : zero(x)\n", ..FORM },
        Form {
            name: "mg_step", c: "static double mg_step(double x) { return x > 0.0 ? 1.0 : 0.0; }\n",
            rust: "fn mg_step(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}
",
            ..FORM
        },
    ]),
    row(F::Square, "square", "square", S::Elementwise, "2*X .* dX", &[
        Form { c: "mg_square", rust: "mg_square", ..FORM },
        Form {
            name: "mg_square", c: "static double mg_square(double x) { return x * x; }\n",
            rust: "fn mg_square(x: f64) -> f64 {
    x * x
}
",
            ..FORM
        },
    ]),
    row(F::Recip, "recip", "reciprocal", S::Elementwise, "-dX ./ X.^2", &[]),
    row(F::LeakyRelu, "leaky_relu", "leaky rectified linear unit", S::ElementwiseWithScalar, "", &[
        Form {
            numpy: "np.where(@0 > 0, $0, @1 * @0)", torch: "torch.where(@0 > 0, $0, @1 * @0)",
            jax: "jnp.where(@0 > 0, $0, @1 * @0)", julia: "_leaky_relu$.($0, $1)", matlab: "+max($0, 0) + @1 * min($0, 0)",
            c: "mg_leaky_relu", rust: "mg_leaky_relu", stablehlo: "where_positive($0, $0, multiply($1, $0))",
            python: "+max($0, 0) + @1 * min($0, 0)", ..FORM
        },
        Form { name: "number", torch: "+max($0, 0) + @1 * min($0, 0)", ..FORM },
        Form { name: "_leaky_relu", julia: "_leaky_relu(x, slope) = x > 0 ? x : slope * x\n", ..FORM },
        Form {
            name: "mg_leaky_relu",
            c: "static double mg_leaky_relu(double x, double slope) { return x > 0.0 ? x : slope * x; }\n",
            rust: "fn mg_leaky_relu(x: f64, slope: f64) -> f64 {
    if x > 0.0 { x } else { slope * x }
}
",
            ..FORM
        },
    ]),
    row(F::Max, "max", "larger of two", S::ElementwisePair, "", &[
        Form {
            numpy: "np.maximum($0, $1)", torch: "torch.maximum($0, $1)", jax: "jnp.maximum($0, $1)", julia: "max$.($0, $1)",
            matlab: "max($0, $1)", c: "mg_max", rust: "mg_max", stablehlo: "maximum($0, $1)",
            python: "max($0, $1)", ..FORM
        },
        Form { name: "number", torch: "torch.clamp($0, min=$1)", ..FORM },
        Form {
            name: "mg_max", c: "static double mg_max(double x, double y) { return x >= y ? x : y; }\n",
            rust: "fn mg_max(x: f64, y: f64) -> f64 {
    if x >= y { x } else { y }
}
",
            ..FORM
        },
    ]),
    row(F::Min, "min", "smaller of two", S::ElementwisePair, "", &[
        Form {
            numpy: "np.minimum($0, $1)", torch: "torch.minimum($0, $1)", jax: "jnp.minimum($0, $1)", julia: "min$.($0, $1)",
            matlab: "min($0, $1)", c: "mg_min", rust: "mg_min", stablehlo: "minimum($0, $1)",
            python: "min($0, $1)", ..FORM
        },
        Form { name: "number", torch: "torch.clamp($0, max=$1)", ..FORM },
        Form {
            name: "mg_min", c: "static double mg_min(double x, double y) { return x <= y ? x : y; }\n",
            rust: "fn mg_min(x: f64, y: f64) -> f64 {
    if x <= y { x } else { y }
}
",
            ..FORM
        },
    ]),
];
