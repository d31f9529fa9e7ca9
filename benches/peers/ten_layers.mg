# A network of ten layers that classifies the rows of X: the loss and the gradients of all parameters.
dim N, D, H, C
X : matrix(N, D)
Y : onehot(N, C)
W1 : matrix(D, H)
W2, W3, W4, W5, W6, W7, W8, W9 : matrix(H, H)
W10 : matrix(H, C)
b1, b2, b3, b4, b5, b6, b7, b8, b9 : row(H)
b10 : row(C)

H1 = relu(X*W1 + b1)
H2 = relu(H1*W2 + b2)
H3 = relu(H2*W3 + b3)
H4 = relu(H3*W4 + b4)
H5 = relu(H4*W5 + b5)
H6 = relu(H5*W6 + b6)
H7 = relu(H6*W7 + b7)
H8 = relu(H7*W8 + b8)
H9 = relu(H8*W9 + b9)
P  = softmax(H9*W10 + b10)
L  = -1/N * tr(Y' * log(P))

grad L wrt W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6, W7, b7, W8, b8, W9, b9, W10, b10
