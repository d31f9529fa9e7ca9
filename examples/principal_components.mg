# Principal components as a trace quotient: the variance that the span of W's columns explains.
W : matrix(d, k)
S : symmetric(d)                  # covariance of the data

f = tr(inv(W'*W)*(W'*S*W))

grad f wrt W
