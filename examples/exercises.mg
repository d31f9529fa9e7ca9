# Exercises that a textbook works by hand, in rising order.

# 1. A bilinear form.
a : vector(m)
X : matrix(m, n)
b : vector(n)
f1 = a'*X*b
grad f1 wrt X

# 2. An exponential by elements inside.
f2 = a'*exp(X*b)
grad f2 wrt X

# 3. A quadratic form of a layer; M is symmetric.
W : matrix(k, m)
M : symmetric(k)
Y = sigmoid(W*X)
f3 = tr(Y'*M*Y)
grad f3 wrt X

# 4. Least squares.
f4 = normsq(X*b - a)
grad f4 wrt b

# 5. The Gaussian log-likelihood in its covariance, with and without a declared symmetry.
Sigma : posdef(n)
R : matrix(n, n)
S : symmetric(n)
f5 = logdet(Sigma) + tr(inv(Sigma)*S)
f6 = logdet(R) + tr(inv(R)*S)
grad f5 wrt Sigma
grad f6 wrt R

# 6. The cross-entropy of a linear classifier, one sample; the entries of y need not sum to one here.
V : matrix(c, n)
y : vector(c)
f7 = -y'*log(softmax(V*b))
grad f7 wrt V
