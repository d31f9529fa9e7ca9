# The evidence of a Gaussian process by the scale of its noise and by its kernel matrix.
K : posdef(m)
y : vector(m)
s : scalar

C = K + s^2*eye(m)
L = 0.5*y'*inv(C)*y + 0.5*logdet(C)

grad L wrt s, K
