# The log-likelihood of N samples of a Gaussian, without its constant, by mean and covariance.
# Sigma is symmetric: its gradient is projected onto the symmetric matrices.
X : matrix(N, d)                  # one sample a row
mu : row(d)
Sigma : posdef(d)

R = X - mu
L = -0.5*N*logdet(Sigma) - 0.5*tr(R*inv(Sigma)*R')

grad L wrt mu, Sigma
