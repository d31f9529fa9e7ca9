# One step of a Kalman filter: the log-likelihood of the innovation by the noise R and by the observation H.
P : posdef(n)                     # covariance of the predicted state
x : vector(n)                     # predicted state
y : vector(m)                     # observation
H : matrix(m, n)
R : posdef(m)

v = y - H*x
S = H*P*H' + R
L = -0.5*logdet(S) - 0.5*v'*inv(S)*v

grad L wrt R, H
