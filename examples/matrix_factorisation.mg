# Factorisation of a matrix with missing entries: M is 1 where Y is known.
Y, M : matrix(m, n)
U : matrix(m, k)
V : matrix(n, k)
lambda : scalar

E = M .* (Y - U*V')
L = 0.5*normsq(E) + 0.5*lambda*(normsq(U) + normsq(V))

grad L wrt U, V
