# Logistic regression with labels 0 and 1, in the form that is stable for large scores.
X : matrix(m, n)                  # one sample a row
y : vector(m)                     # labels
w : vector(n)
b : scalar
lambda : scalar

z = X*w + b
L = 1/m*sum(softplus(z) - y .* z) + 0.5*lambda*normsq(w)

grad L wrt w, b
