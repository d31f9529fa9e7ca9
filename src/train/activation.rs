//! The two-layer network as a text of the language, for each function of the hidden units. Nothing is derived here.

/// The function σ of the hidden units, H1 = σ(Z1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// max(0, x)
    Relu,
    /// x, and 0.01 x where it is negative
    LeakyRelu,
    /// x, and eˣ - 1 where it is negative
    Elu,
    /// x times the normal distribution function
    Gelu,
    /// x times the logistic function
    Silu,
    /// log(1 + eˣ)
    Softplus,
    /// hyperbolic tangent
    Tanh,
    /// logistic function
    Sigmoid,
    /// inverse tangent
    Atan,
    /// error function
    Erf,
    /// sine
    Sin,
    /// x itself: the network is linear
    Identity,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 12] = [
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softplus,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Atan,
        Activation::Erf,
        Activation::Sin,
        Activation::Identity,
    ];

    /// Its name in the language, `leaky_relu`.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Relu => "relu",
            Activation::LeakyRelu => "leaky_relu",
            Activation::Elu => "elu",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
            Activation::Softplus => "softplus",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Atan => "atan",
            Activation::Erf => "erf",
            Activation::Sin => "sin",
            Activation::Identity => "identity",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Activation> {
        Activation::ALL.into_iter().find(|activation| activation.name() == name)
    }

    /// σ(Z1) in the language.
    fn of_hidden(self) -> String {
        match self {
            Activation::LeakyRelu => "leaky_relu(Z1, 0.01)".to_owned(),
            Activation::Identity => "Z1".to_owned(),
            _ => format!("{}(Z1)", self.name()),
        }
    }

    /// The first weights that suit it: larger ones where half of the units are near 0.
    pub fn initialisation(self) -> super::Initialisation {
        match self {
            Activation::Relu
            | Activation::LeakyRelu
            | Activation::Elu
            | Activation::Gelu
            | Activation::Silu
            | Activation::Softplus => super::Initialisation::He,
            _ => super::Initialisation::Lecun,
        }
    }
}

/// The program of the network. The loss is finite for every finite score: the logarithm of a softmax is taken in one piece.
pub fn two_layer(activation: Activation) -> String {
    format!(
        "# two-layer network
X  : matrix(N, D)     # N samples of D features
Y  : onehot(N, C)     # their classes
W1 : matrix(D, H)
b1 : row(H)
W2 : matrix(H, C)
b2 : row(C)
lambda : scalar

Z1 = X*W1 + b1
H1 = {}
Z2 = H1*W2 + b2       # scores
P  = softmax(Z2)
L  = -1/N * tr(Y' * log(P)) + lambda*(sum(W1.^2) + sum(W2.^2))

grad L wrt W1, b1, W2, b2
",
        activation.of_hidden()
    )
}
