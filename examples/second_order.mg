# Second derivatives and tensors: a Hessian as a matrix, one as a Kronecker product, a block of it, and a Jacobian of order 4.
X : matrix(N, D)
y : vector(N)
w : vector(D)
U : matrix(m, k)
V : matrix(n, k)
M : matrix(m, n)

p = sigmoid(X*w)
L = -y'*log(p) - (1 - y)'*log(1 - p)
hessian L wrt w

R = U*V' - M
f = normsq(R)
hessian f wrt U
hessian f wrt U, V
jacobian R wrt U
