//! The worked examples of the page: programs with a title, in the order in which one would read them. They are the files of
//! `examples/` and the exercises that a textbook works by hand.

/// A worked example.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its name in an address.
    pub name: &'static str,
    /// Under which heading it stands.
    pub chapter: &'static str,
    /// What it is.
    pub title: &'static str,
    /// The program.
    pub program: &'static str,
}

const HAND: &str = "By hand";
const REGRESSION: &str = "Regression and likelihood";
const NETWORKS: &str = "Networks";
const SECOND: &str = "Second order";

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../examples/", $name, ".mg"))
    };
}

/// All of them.
pub const EXAMPLES: &[Example] = &[
    Example {
        name: "bilinear",
        chapter: HAND,
        title: "A bilinear form",
        program: "a : vector(m)\nX : matrix(m, n)\nb : vector(n)\n\nf = a'*X*b\n\ngrad f wrt X\n",
    },
    Example {
        name: "exponential",
        chapter: HAND,
        title: "An exponential inside",
        program: "a : vector(m)\nX : matrix(m, n)\nb : vector(n)\n\nf = a'*exp(X*b)\n\ngrad f wrt X\n",
    },
    Example {
        name: "layer",
        chapter: HAND,
        title: "A quadratic form of a layer",
        program: "W : matrix(k, m)\nX : matrix(m, n)\nM : symmetric(k)\n\nY = sigmoid(W*X)\nf = tr(Y'*M*Y)\n\ngrad f wrt X\n",
    },
    Example {
        name: "least-squares",
        chapter: HAND,
        title: "Least squares",
        program: "X : matrix(m, n)\nw : vector(n)\ny : vector(m)\n\nf = normsq(X*w - y)\n\ngrad f wrt w\n",
    },
    Example {
        name: "covariance",
        chapter: HAND,
        title: "A Gaussian in its covariance",
        program: "Sigma : posdef(n)\nS : symmetric(n)\n\nf = logdet(Sigma) + tr(inv(Sigma)*S)\n\ngrad f wrt Sigma\n",
    },
    Example {
        name: "cross-entropy",
        chapter: HAND,
        title: "Cross-entropy of one sample",
        program: "W : matrix(c, n)\nx : vector(n)\nY : onehot(1, c)\n\nf = -Y*log(softmax(W*x))\n\ngrad f wrt W\n",
    },
    Example { name: "ridge", chapter: REGRESSION, title: "Ridge regression", program: file!("ridge") },
    Example {
        name: "logistic-regression",
        chapter: REGRESSION,
        title: "Logistic regression",
        program: file!("logistic_regression"),
    },
    Example {
        name: "softmax-regression",
        chapter: REGRESSION,
        title: "Multinomial regression",
        program: file!("softmax_regression"),
    },
    Example {
        name: "gaussian-likelihood",
        chapter: REGRESSION,
        title: "Gaussian likelihood",
        program: file!("gaussian_likelihood"),
    },
    Example {
        name: "gaussian-mixture",
        chapter: REGRESSION,
        title: "A mixture of Gaussians",
        program: file!("gaussian_mixture"),
    },
    Example {
        name: "gaussian-process",
        chapter: REGRESSION,
        title: "A Gaussian process",
        program: file!("gaussian_process"),
    },
    Example { name: "kalman-filter", chapter: REGRESSION, title: "A Kalman filter", program: file!("kalman_filter") },
    Example { name: "portfolio", chapter: REGRESSION, title: "A portfolio", program: file!("portfolio") },
    Example {
        name: "matrix-factorisation",
        chapter: REGRESSION,
        title: "Matrix factorisation",
        program: file!("matrix_factorisation"),
    },
    Example {
        name: "principal-components",
        chapter: REGRESSION,
        title: "Principal components",
        program: file!("principal_components"),
    },
    Example {
        name: "two-layer-network",
        chapter: NETWORKS,
        title: "The two-layer network",
        program: file!("two_layer_mlp"),
    },
    Example { name: "attention", chapter: NETWORKS, title: "Attention", program: file!("attention") },
    Example { name: "layer-norm", chapter: NETWORKS, title: "Layer norm", program: file!("layer_norm") },
    Example {
        name: "recurrent-network",
        chapter: NETWORKS,
        title: "A recurrent network",
        program: file!("recurrent_network"),
    },
    Example {
        name: "log-determinant",
        chapter: SECOND,
        title: "Hessian of log det",
        program: "X : invertible(n)\n\nf = logdet(X)\n\nhessian f wrt X\n",
    },
    Example { name: "second-order", chapter: SECOND, title: "Hessians and a tensor", program: file!("second_order") },
    Example {
        name: "kronecker",
        chapter: SECOND,
        title: "A Jacobian with Kronecker products",
        program: "A : matrix(m, n)\nX : matrix(p, q)\nB : matrix(q, r)\nC : matrix(n, p)\n\nY = A*exp(C*X*B)\n\njacobian Y wrt X\n",
    },
    Example { name: "differentials", chapter: SECOND, title: "Differentials", program: file!("differentials") },
];

#[cfg(test)]
mod tests {
    use matgrad::answer::answer;
    use matgrad::check::{Options, check};
    use matgrad::derivation::Detail;

    use super::EXAMPLES;

    #[test]
    fn every_example_is_derived_and_right() {
        for example in EXAMPLES {
            let answer =
                answer(example.program, Detail::Brief).unwrap_or_else(|errors| panic!("{}: {errors:?}", example.name));
            let report = check(&answer, Options { points: 1, ..Options::default() });
            assert!(report.is_ok() && !report.results.is_empty(), "{}: {:?}", example.name, report.lines());
        }
    }
}
