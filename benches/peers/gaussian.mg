# The negative log-likelihood of a Gaussian whose covariance is a linear kernel of features and noise.
X : matrix(n, d)
y : vector(n)
S = X*X' + eye(n)
L = 1/2*y'*inv(S)*y + 1/2*logdet(S)
grad L wrt X, y
