//! Programs that were wrong once, each with what a user saw. They are judged like the random ones.

/// What was wrong, and the program.
pub const FOUND: &[(&str, &str)] = &[
    (
        "a power with a matrix as its exponent was printed as `…`",
        "x : vector(p)\nassume positive(x)\nR : matrix(p, n)\ngrad sum(x.^R) wrt x, R",
    ),
    ("tr(A^(-1/2)) led to A^(-3/2), which the language does not have", "C : posdef(m)\ngrad tr(C^(-1/2)) wrt C"),
    (
        "tril(triu(x)) of a column was taken for its diagonal matrix",
        "w : vector(n)\ngrad sum(triu(tril(exp(w)))) wrt w",
    ),
    ("tril(triu(A)) of a rectangle was taken for a square one", "A : matrix(m, n)\ngrad normsq(tril(triu(A))) wrt A"),
    (
        "a definition that is symmetric was taken for symmetric when one differentiates by it",
        "A, B : matrix(n, n)\nZ = A + A'\ngrad tr(B*Z') + sum(Z*B) wrt Z",
    ),
    (
        "rows of a definition that sum to 1 were used when one differentiates by it",
        "X, A : matrix(m, n)\nP = softmax(X)\ngrad normsq(rowsum(P)) + sum(P .* A) wrt P",
    ),
    (
        "rows of a definition that sum to 0 were used when one differentiates by it",
        "X : matrix(m, n)\nZ = X - rowmean(X)\ngrad normsq(rowsum(Z)) + sum(exp(Z)) wrt Z",
    ),
    ("s*ones(1, m)*ones(m) in a sum was taken for s", "u : vector(m)\ns : scalar\ngrad sum(u + s) wrt u, s"),
    ("a mean over n*(n+1)/2 entries was printed as 1/n*(n+1)/2", "x : vector(n*(n+1)/2)\ngrad mean(exp(x)) wrt x"),
    (
        "a column, a row and a divisor stood in an order that does not read",
        "w : row(p)\nX : matrix(p, n)\nassume positive(X)\na : row(n)\ngrad w*(log(X) .* a)*ones(n) wrt X",
    ),
    ("elu of large numbers had no slope", "x : vector(n)\ngrad elu(1000 + normsq(x)) wrt x"),
    (
        "dZ of a definition that stands still was left in a differential",
        "x : vector(n)\nA : matrix(m, n)\nH = sum(x) > 0.1\ndifferential A*x*H wrt A, x",
    ),
    (
        "a dimension that follows from use was a difference",
        "dim q, N\nX : matrix(r, q)\ngrad sum(C*[S*X; ones(q, q)]) wrt X",
    ),
    (
        "a root of the entry that a one-hot matrix selects was taken of all entries",
        "Y : onehot(m, n)\nA : matrix(m, n)\ngrad sum(Y .* sqrt(rowsum(Y .* A))) wrt A",
    ),
    (
        "logdet of a diagonal matrix was a sum of logarithms whatever the signs",
        "v : vector(n)\ngrad logdet(diag(v)) wrt v",
    ),
    (
        "logdet of a Kronecker product was a sum of logarithms whatever the signs",
        "A : matrix(m, m)\nB : matrix(n, n)\ngrad logdet(kron(A, B)) wrt A, B",
    ),
    (
        "a dimension that is a difference began with a sign",
        "dim n\ny : vector(q)\ngrad normsq([ones(n, 1); x] - [b; y]) wrt x",
    ),
    (
        "common divisors were taken out without end, until the stack was full",
        "x : vector(p)\nU : matrix(p, q)\ngrad sum(x ./ abs(rowmean(logsoftmax(U)))) wrt U, x",
    ),
    (
        "a power with the exponent T was printed as a transpose",
        "x : vector(n)\nT, s : scalar\nassume positive(T)\nassume positive(s)\ngrad s^T + T^T*sum(x) wrt T, s",
    ),
    ("a high negative power of a matrix lost its digits", "A : matrix(n, n)\ngrad sum(expm(3*A)^-7) wrt A"),
    (
        "a check called a right gradient wrong where the point lies on a kink",
        "x : vector(n)\nZ = diag(x)\ngrad sum(relu(Z)) wrt Z",
    ),
    (
        "the inverse of an exponential had no digit right",
        "S : skew(q)\nA : matrix(q, q)\ngrad det(inv(expm(sinh(logsoftmax(S + A^T, axis=0))))) wrt S",
    ),
    (
        "a check called a differential wrong that vanishes",
        "A : skew(n)\nc : vector(n)\ndifferential c'*A*(100*c) wrt A, c",
    ),
];
