# Differentials themselves: what dX, dW and db do to a result.
X : matrix(N, D)
W : matrix(D, H)
b : row(H)
A : matrix(n, n)

Y = tanh(X*W + b)
differential Y wrt W, b

B = inv(A)
differential B

f = logdet(A)
differential f
