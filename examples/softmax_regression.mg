# Multinomial logistic regression: the rows of Y are one-hot, so the gradient of the scores is (P - Y)/N.
X : matrix(N, D)
Y : onehot(N, C)
W : matrix(D, C)
b : row(C)

Z = X*W + b
P = softmax(Z)
L = -1/N*tr(Y'*log(P))

grad L wrt Z, W, b
