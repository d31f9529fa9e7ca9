# The log-likelihood of a mixture of K round Gaussians of one width, by centres, weights and precision.
X : matrix(N, D)                  # one sample a row
M : matrix(K, D)                  # one centre a row
a : row(K)                        # scores of the weights, which are their softmax
t : scalar                        # logarithm of the precision

Q = rowsum(X.^2)*ones(1, K) + ones(N)*colsum(M'.^2) - 2*X*M'   # squared distances
S = logsoftmax(a) + 0.5*D*t - 0.5*exp(t)*Q
L = sum(logsumexp(S))

grad L wrt M, a, t
