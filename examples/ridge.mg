# Ridge regression: least squares and a penalty on the size of w.
X : matrix(m, n)
y : vector(m)
w : vector(n)
lambda : scalar

r = X*w - y
L = normsq(r) + lambda*normsq(w)

grad L wrt w, lambda
